//! Colours for numbers: from pale to dark for numbers of one sign, and from blue over white to orange, the same far on
//! either side of 0, for numbers of both.

use super::FigureError;
use super::axis::Axis;
use super::canvas::Canvas;
use super::look::{Align, Text};
use super::theme::{Colour, FRAME, INK, PAPER, QUIET, SMALL};

const PALE: Colour = Colour(247, 251, 255);
const MIDDLE: Colour = Colour(107, 174, 214);
const DARK: Colour = Colour(8, 48, 107);
/// Of negative numbers, where there are positive ones too.
const BLUE: Colour = Colour(33, 102, 172);
const ORANGE: Colour = Colour(179, 88, 6);

/// A scale of colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat {
    low: f64,
    high: f64,
}

impl Heat {
    /// Over every number; two decimals wide at least.
    pub fn over(values: impl Iterator<Item = f64>) -> Self {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = values.fold(none, |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = match low <= high {
            true => (low, high),
            false => (0.0, 1.0),
        };
        let round = |value: f64| (value * 20.0).round() / 20.0;
        let (low, high) = (round(low - 0.024), round(high + 0.024));
        match low < 0.0 && high > 0.0 {
            true => {
                let most = high.max(-low);
                Self {
                    low: -most,
                    high: most,
                }
            }
            false => Self {
                low,
                high: high.max(low + 0.05),
            },
        }
    }

    /// Whether the scale holds numbers of both signs.
    pub fn is_two_sided(&self) -> bool {
        self.low < 0.0 && self.high > 0.0
    }

    pub fn colour(&self, value: f64) -> Colour {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        match (self.is_two_sided(), share < 0.5) {
            (true, true) => BLUE.towards(PAPER, 2.0 * share),
            (true, false) => PAPER.towards(ORANGE, 2.0 * share - 1.0),
            (false, true) => PALE.towards(MIDDLE, 2.0 * share),
            (false, false) => MIDDLE.towards(DARK, 2.0 * share - 1.0),
        }
    }

    /// The scale as a bar across, with its numbers under it and what they are.
    pub fn bar(
        &self,
        canvas: &mut Canvas<'_>,
        label: &str,
        (left, top): (f64, f64),
        width: f64,
    ) -> Result<(), FigureError> {
        const STEPS: usize = 60;
        let step = width / STEPS as f64;
        for i in 0..STEPS {
            let share = (i as f64 + 0.5) / STEPS as f64;
            let colour = self.colour(self.low + share * (self.high - self.low));
            let x = left + i as f64 * step;
            // Each a little too wide, so that no gap shows between two.
            let right = (x + step + 0.5).min(left + width);
            canvas.rect((x, top), (right, top + BAR), colour, 1.0)?;
        }
        canvas.outline((left, top), (left + width, top + BAR), FRAME, 0.75)?;
        let axis = Axis::between(self.low, self.high, 4.0).placed(left, left + width);
        let look = Text::new(SMALL, QUIET).align(Align::Centre);
        for (value, text) in axis.ticks() {
            let x = axis.at(value);
            canvas.path(&[(x, top + BAR), (x, top + BAR + 3.0)], QUIET, 1.0)?;
            canvas.text(&text, (x, top + BAR + 4.0 + SMALL), look)?;
        }
        let name = Text::new(SMALL, INK).align(Align::Centre);
        let name_width = width + 40.0;
        let baseline = top + BAR + 4.0 + 2.3 * SMALL;
        canvas.text(
            &name.shorten(label, name_width),
            (left + width / 2.0, baseline),
            name,
        )
    }
}

const BAR: f64 = 9.0;
/// Of the bar with its numbers and name, px.
pub const BAR_HEIGHT: f64 = BAR + 4.0 + 2.3 * SMALL + 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_white_where_there_are_both_signs() {
        let heat = Heat::over([-0.1, 0.3].into_iter());
        assert!(heat.is_two_sided());
        assert_eq!(heat.colour(0.0), PAPER);
        assert_eq!((heat.colour(-9.0), heat.colour(9.0)), (BLUE, ORANGE));
        let heat = Heat::over([0.3, 0.8].into_iter());
        assert!(!heat.is_two_sided());
        assert!(heat.colour(0.3).luminance() > heat.colour(0.8).luminance());
        Heat::over(std::iter::empty()).colour(0.0);
        Heat::over([0.5; 3].into_iter()).colour(0.5);
    }
}

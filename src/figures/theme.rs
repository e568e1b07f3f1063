//! Colours and sizes of every figure, in one place. Lengths are in px of the SVG; the PNG has [`PNG_SCALE`] times more.

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The same hue, darker, for outlines: `share` of the way to black.
    pub fn darker(self, share: f64) -> Self {
        let mix = |channel: u8| (f64::from(channel) * (1.0 - share)).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }

    /// The same hue, paler: `share` of the way to white.
    pub fn lighter(self, share: f64) -> Self {
        let mix = |channel: u8| {
            let channel = f64::from(channel);
            (channel + (255.0 - channel) * share).round() as u8
        };
        Self(mix(self.0), mix(self.1), mix(self.2))
    }
}

pub const PAPER: Colour = Colour(255, 255, 255);
pub const INK: Colour = Colour(33, 33, 38);
pub const QUIET: Colour = Colour(104, 104, 112);
pub const GRID: Colour = Colour(233, 233, 237);
pub const ZERO: Colour = Colour(150, 150, 158);
pub const FRAME: Colour = Colour(190, 190, 198);
pub const WARNING: Colour = Colour(178, 34, 34);

pub const PNG_SCALE: f32 = 2.0;

pub const TITLE: f64 = 13.0;
pub const LABEL: f64 = 11.5;
pub const SMALL: f64 = 10.0;
/// Baseline to baseline, as a share of the size.
pub const LEADING: f64 = 1.36;

/// Widest figure that fits a page or a slide without shrinking.
pub const FIGURE_WIDTH: f64 = 1040.0;
pub const MARGIN: f64 = 16.0;
pub const PANEL_GAP: f64 = 20.0;

/// One fixed colour a taste, after Okabe and Ito (Color Universal Design, 2008): told apart by colour-blind readers.
const FIXED: [(&str, Colour); 4] = [
    ("bitter", Colour(0, 158, 115)),
    ("sour", Colour(230, 159, 0)),
    ("sweet", Colour(204, 121, 167)),
    ("salty", Colour(0, 114, 178)),
];

/// For other groups, in the order in which they are drawn.
const OTHERS: [Colour; 6] = [
    Colour(213, 94, 0),
    Colour(86, 180, 233),
    Colour(136, 34, 85),
    Colour(110, 110, 110),
    Colour(153, 153, 51),
    Colour(51, 34, 136),
];

/// A colour for each label: its own for a known taste, the next free one otherwise.
pub fn palette(labels: &[&str]) -> Vec<Colour> {
    let mut next = OTHERS.iter().copied().cycle();
    labels
        .iter()
        .map(|label| {
            let fixed = FIXED.iter().find(|(taste, _)| taste == label);
            fixed
                .map(|(_, colour)| *colour)
                .or_else(|| next.next())
                .unwrap_or(INK)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taste_keeps_its_colour_whatever_stands_beside_it() {
        let alone = palette(&["sweet"]);
        let among = palette(&["bitter", "umami", "sweet", "astringent"]);
        assert_eq!(alone[0], among[2]);
        assert_ne!(among[1], among[3]);
    }
}

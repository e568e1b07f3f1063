//! The legend of a figure: signs and what they stand for, in lines above the panels.

use super::FigureError;
use super::canvas::Canvas;
use super::look::Text;
use super::marker::Shape;
use super::theme::{Colour, INK, LABEL, LEADING, MARGIN, Palette, QUIET, Tint};
use crate::labels::Word;

/// A sign with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub sign: Sign,
    pub name: String,
}

/// What stands before a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sign {
    /// A taste, as its pieces are drawn.
    Taste(Tint),
    /// An arm, as its pieces are drawn.
    Arm(Shape, bool),
    /// A bar of a histogram: fill, line.
    Bar(Option<Colour>, Colour),
}

/// Rows of entries; a new row begins where the width ends, and with each of the groups.
#[derive(Debug, Clone, Default)]
pub struct Legend {
    rows: Vec<Vec<(f64, Entry)>>,
}

const SIGN: f64 = 14.0;
const GAP: f64 = 14.0;
const WIDEST: f64 = 200.0;
const ROW: f64 = LABEL * LEADING + 1.0;
/// Between the legend and what follows.
const BELOW: f64 = 6.0;

impl Legend {
    /// `groups` of entries in lines of at most `width` px.
    pub fn new(groups: &[Vec<Entry>], width: f64) -> Self {
        let look = Text::new(LABEL, INK);
        let mut rows: Vec<Vec<(f64, Entry)>> = Vec::new();
        for group in groups {
            let mut x = f64::INFINITY;
            let names: Vec<&str> = group.iter().map(|entry| entry.name.as_str()).collect();
            for (entry, name) in group.iter().zip(look.shorten_apart(&names, WIDEST)) {
                let wide = SIGN + look.width(&name);
                if x + wide > width {
                    rows.push(Vec::new());
                    x = 0.0;
                }
                let sign = entry.sign;
                if let Some(row) = rows.last_mut() {
                    row.push((x, Entry { sign, name }));
                }
                x += wide + GAP;
            }
        }
        Self { rows }
    }

    pub fn height(&self) -> f64 {
        match self.rows.len() {
            0 => 0.0,
            rows => rows as f64 * ROW + BELOW,
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, top: f64) -> Result<(), FigureError> {
        for (i, row) in self.rows.iter().enumerate() {
            let baseline = top + i as f64 * ROW + LABEL;
            for (x, entry) in row {
                let x = MARGIN + x;
                let centre = (x + 5.0, baseline - 0.36 * LABEL);
                match entry.sign {
                    Sign::Taste(tint) => canvas.marker(
                        Shape::Circle,
                        centre,
                        3.75,
                        (tint.colour, tint.hatched),
                        1.0,
                    )?,
                    Sign::Arm(shape, hollow) => {
                        canvas.marker(shape, centre, 3.5, (QUIET, hollow), 1.0)?;
                    }
                    Sign::Bar(fill, line) => {
                        let (a, b) = (
                            (centre.0 - 4.5, centre.1 - 3.5),
                            (centre.0 + 4.5, centre.1 + 3.5),
                        );
                        if let Some(fill) = fill {
                            canvas.rect(a, b, fill, 1.0)?;
                        }
                        canvas.outline(a, b, line, 1.25)?;
                    }
                }
                canvas.text(&entry.name, (x + SIGN, baseline), Text::new(LABEL, INK))?;
            }
        }
        Ok(())
    }
}

/// The tastes of a run, and what has none if `without`.
pub fn of_tastes(palette: &Palette, without: bool, word: &Word) -> Vec<Entry> {
    let tastes = palette.iter().map(|(taste, tint)| Entry {
        sign: Sign::Taste(tint),
        name: taste.to_owned(),
    });
    let none = without.then(|| Entry {
        sign: Sign::Taste(Tint::NO_TASTE),
        name: word.said("no taste").to_string(),
    });
    tastes.chain(none).collect()
}

//! The colours of the figures, as a page writes them.

use crate::figures::theme::{self, Colour, Palette};

/// How a taste is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `#RRGGBB`.
    pub colour: String,
    /// Whether signs of this taste are outlines: with many tastes, colours come twice.
    pub hollow: bool,
}

/// A mark for each of `tastes`, in their order: as in the run's figures.
pub fn marks(tastes: &[&str]) -> Vec<Mark> {
    let palette = Palette::new(tastes.iter().copied());
    let mark = |taste: &&str| {
        let tint = palette.of(taste);
        Mark {
            colour: hex(tint.colour),
            hollow: tint.hatched,
        }
    };
    tastes.iter().map(mark).collect()
}

/// Of what has no taste.
pub fn no_taste() -> String {
    hex(theme::NO_TASTE)
}

/// Style rules with which inlined figures follow the page into the dark: their neutral colours become the page's, and outlines,
/// which are darker than what they surround, become as light as it.
pub fn rules(tastes: &[&str]) -> String {
    let mut css = String::new();
    let mut rule = |colour: Colour, value: &str| {
        let hex = hex(colour);
        for property in ["fill", "stroke"] {
            css += &format!("figure:not(.paper) [{property}=\"{hex}\" i]{{{property}:{value}}}\n");
        }
    };
    for (colour, name) in [
        (theme::PAPER, "--paper"),
        (theme::INK, "--ink"),
        (theme::QUIET, "--quiet"),
        (theme::GRID, "--grid"),
        (theme::ZERO, "--zero"),
        (theme::FRAME, "--frame"),
        (theme::WARNING, "--warn"),
    ] {
        rule(colour, &format!("var({name})"));
    }
    for (_, tint) in Palette::new(tastes.iter().copied()).iter() {
        let colour = tint.colour;
        let dark = colour.darker(0.35);
        rule(dark, &format!("light-dark({},{})", hex(dark), hex(colour)));
    }
    css
}

fn hex(Colour(r, g, b): Colour) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

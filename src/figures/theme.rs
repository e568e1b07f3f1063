//! Colours and sizes of every figure, in one place. Lengths are in px of the SVG, 1/96 inch as CSS has it, so that a
//! figure goes into a paper at the size at which it was laid out. The PNG has [`PNG_SCALE`] pixels per px.

use crate::labels;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The same hue, darker, for outlines: `share` of the way to black.
    pub fn darker(self, share: f64) -> Self {
        self.towards(Self(0, 0, 0), share)
    }

    /// The same hue, paler: `share` of the way to white.
    pub fn lighter(self, share: f64) -> Self {
        self.towards(Self(255, 255, 255), share)
    }

    /// `share` of the way to another colour, in sRGB.
    pub fn towards(self, other: Self, share: f64) -> Self {
        let mix = |a: u8, b: u8| {
            let (a, b) = (f64::from(a), f64::from(b));
            (a + (b - a) * share.clamp(0.0, 1.0)).round() as u8
        };
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }

    /// Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it.
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            match c <= 0.04045 {
                true => c / 12.92,
                false => ((c + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// [`INK`] or [`PAPER`]: what reads better on this colour.
    pub fn text(self) -> Self {
        let contrast = |other: Self| {
            let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
            a.max(b) / a.min(b)
        };
        match contrast(INK) >= contrast(PAPER) {
            true => INK,
            false => PAPER,
        }
    }
}

pub const PAPER: Colour = Colour(255, 255, 255);
pub const INK: Colour = Colour(33, 33, 38);
pub const QUIET: Colour = Colour(92, 92, 100);
pub const GRID: Colour = Colour(233, 233, 237);
pub const ZERO: Colour = Colour(150, 150, 158);
pub const FRAME: Colour = Colour(190, 190, 198);
pub const WARNING: Colour = Colour(178, 34, 34);
/// Of what has no taste, or every taste together.
pub const NO_TASTE: Colour = Colour(128, 128, 136);

/// Of the PNG, dots an inch.
pub const DPI: u32 = 300;
pub const PNG_SCALE: f32 = DPI as f32 / 96.0;

/// Above the figure: 9.4 pt.
pub const HEADLINE: f64 = 12.5;
/// Above a panel: 8.3 pt.
pub const TITLE: f64 = 11.0;
/// Names of groups: 7.5 pt.
pub const LABEL: f64 = 10.0;
/// All other text, and the smallest: 7.1 pt.
pub const SMALL: f64 = 9.5;
/// Baseline to baseline, as a share of the size.
pub const LEADING: f64 = 1.32;

/// The text width of a page, 180 mm: no figure is wider.
pub const FIGURE_WIDTH: f64 = 680.0;
/// Of a figure with one small panel, 116 mm.
pub const SMALL_WIDTH: f64 = 440.0;
/// The text height of an A4 page, 245 mm: figures keep within it where their data let them.
pub const PAGE_HEIGHT: f64 = 926.0;
pub const MARGIN: f64 = 8.0;
pub const PANEL_GAP: f64 = 16.0;

/// How a taste is drawn: the second ten tastes of a figure have the colours of the first ten, hatched and hollow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tint {
    pub colour: Colour,
    pub hatched: bool,
}

impl Tint {
    pub const NO_TASTE: Self = Self::solid(NO_TASTE);

    pub const fn solid(colour: Colour) -> Self {
        Self {
            colour,
            hatched: false,
        }
    }
}

/// One fixed colour for each of [`labels`], in their order.
fn fixed() -> Vec<(&'static str, Colour)> {
    let labels = labels::known().iter();
    labels
        .map(|label| {
            let [red, green, blue] = label.colour;
            (label.name, Colour(red, green, blue))
        })
        .collect()
}

/// For other tastes, in their order: the rest of Okabe and Ito's colours, and of P. Tol's muted ones (Colour Schemes, 2021).
const OTHERS: [Colour; 6] = [
    Colour(213, 94, 0),
    Colour(86, 180, 233),
    Colour(136, 34, 85),
    Colour(153, 153, 51),
    Colour(51, 34, 136),
    Colour(40, 40, 40),
];

/// The tints of a run's tastes, the same in each of its figures; those of [`labels`] have theirs in every run.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette {
    tints: Vec<(String, Tint)>,
}

impl Palette {
    /// A tint for each of `tastes`: its own for a known taste, the next free one otherwise. Up to 20 differ. The colours of known
    /// tastes are free for ten labels of one's own; beside a known taste they come last, since they would be taken for others.
    pub fn new<'a>(tastes: impl IntoIterator<Item = &'a str>) -> Self {
        let tastes: Vec<&str> = tastes.into_iter().collect();
        let fixed = fixed();
        let others = OTHERS.into_iter().map(Tint::solid);
        let every = fixed.iter().map(|(_, colour)| *colour).chain(OTHERS);
        let hatched = every.map(|colour| Tint {
            colour,
            hatched: true,
        });
        let absent = fixed.iter().filter(|(taste, _)| !tastes.contains(taste));
        let absent: Vec<Tint> = absent.map(|(_, colour)| Tint::solid(*colour)).collect();
        let free: Vec<Tint> = match absent.len() == fixed.len() {
            true => others.chain(absent).chain(hatched).collect(),
            false => others.chain(hatched).chain(absent).collect(),
        };
        let mut free = free.into_iter().cycle();
        let tint = |taste: &&str| {
            let own = fixed.iter().find(|(known, _)| known == taste);
            let own = own.map(|(_, colour)| Tint::solid(*colour));
            let tint = own.or_else(|| free.next()).unwrap_or(Tint::NO_TASTE);
            ((*taste).to_owned(), tint)
        };
        Self {
            tints: tastes.iter().map(tint).collect(),
        }
    }

    /// The tint of a taste; that of no taste for any other text.
    pub fn of(&self, taste: &str) -> Tint {
        let found = self.tints.iter().find(|(known, _)| known == taste);
        found.map_or(Tint::NO_TASTE, |(_, tint)| *tint)
    }

    /// The tastes with their tints, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Tint)> {
        self.tints
            .iter()
            .map(|(taste, tint)| (taste.as_str(), *tint))
    }

    pub fn len(&self) -> usize {
        self.tints.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tints.is_empty()
    }

    /// Whether hatching says which taste is meant.
    pub fn is_hatched(&self) -> bool {
        self.tints.iter().any(|(_, tint)| tint.hatched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taste_keeps_its_colour_whatever_stands_beside_it() {
        let (alone, among) = (
            Palette::new(["sweet"]),
            Palette::new(["bitter", "sweet", "astringent", "umami"]),
        );
        assert_eq!(alone.of("sweet"), among.of("sweet"));
        assert_ne!(among.of("astringent"), among.of("umami"));
        assert_eq!(among.of("nothing"), Tint::NO_TASTE);
    }

    #[test]
    fn twenty_tastes_have_twenty_tints() {
        let strange: Vec<String> = (0..20).map(|i| format!("taste {i:02}")).collect();
        let mut known = strange.clone();
        for (place, (taste, _)) in known.iter_mut().zip(fixed()) {
            *place = taste.to_owned();
        }
        for tastes in [strange, known] {
            let palette = Palette::new(tastes.iter().map(String::as_str));
            let tints: Vec<Tint> = palette.iter().map(|(_, tint)| tint).collect();
            for (i, tint) in tints.iter().enumerate() {
                assert!(!tints[..i].contains(tint), "{i}: {tint:?}");
            }
        }
    }

    /// CIELAB of a colour as a reader with normal sight (`None`), without red (protanopia) or without green cones
    /// (deuteranopia) sees it: F. Viénot, H. Brettel, J. Mollon, Color Research and Application 24 (1999).
    fn seen(colour: Colour, without: Option<bool>) -> [f64; 3] {
        let linear = |c: u8| (f64::from(c) / 255.0).powf(2.2);
        let [r, g, b] = [colour.0, colour.1, colour.2].map(linear);
        let [r, g, b] = match without {
            None => [r, g, b],
            Some(true) => {
                let y = 0.11238 * r + 0.88762 * g;
                [y, y, 0.00401 * r - 0.00401 * g + b]
            }
            Some(false) => {
                let y = 0.29275 * r + 0.70725 * g;
                [y, y, -0.02234 * r + 0.02234 * g + b]
            }
        };
        let x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505;
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089;
        let f = |t: f64| match t > 0.008856 {
            true => t.cbrt(),
            false => 7.787 * t + 16.0 / 116.0,
        };
        [
            116.0 * f(y) - 16.0,
            500.0 * (f(x) - f(y)),
            200.0 * (f(y) - f(z)),
        ]
    }

    /// How far two colours lie apart for a reader.
    fn apart(a: Colour, b: Colour, without: Option<bool>) -> f64 {
        let (p, q) = (seen(a, without), seen(b, without));
        let squares = p.iter().zip(&q).map(|(p, q)| (p - q).powi(2));
        squares.sum::<f64>().sqrt()
    }

    #[test]
    fn colour_blind_readers_tell_the_ten_colours_apart() {
        let colours: Vec<Colour> = fixed().iter().map(|f| f.1).chain(OTHERS).collect();
        for without in [None, Some(true), Some(false)] {
            for (i, &a) in colours.iter().enumerate() {
                for &b in &colours[..i] {
                    let distance = apart(a, b, without);
                    assert!(distance > 14.0, "{a:?} {b:?} {without:?}: {distance:.1}");
                }
            }
        }
    }

    #[test]
    fn labels_of_ones_own_are_told_apart_too() {
        for count in 2..=20 {
            let moods: Vec<String> = (0..count).map(|i| format!("mood {i}")).collect();
            let palette = Palette::new(moods.iter().map(String::as_str));
            let tints: Vec<Tint> = palette.iter().map(|(_, tint)| tint).collect();
            // Solid as long as there are colours.
            let solid = tints.iter().filter(|tint| !tint.hatched).count();
            assert_eq!(solid, count.min(10));
            for (i, a) in tints.iter().enumerate() {
                for b in tints[..i].iter().filter(|b| b.hatched == a.hatched) {
                    for without in [None, Some(true), Some(false)] {
                        assert!(
                            apart(a.colour, b.colour, without) > 14.0,
                            "{count}: {a:?} {b:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn text_on_a_colour_is_the_one_that_contrasts() {
        assert_eq!(PAPER.text(), INK);
        assert_eq!(Colour(8, 48, 107).text(), PAPER);
    }
}

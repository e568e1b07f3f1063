//! The font that ships with the program: Inter, cut down by `scripts/fonts/subset.py` (SIL Open Font License 1.1).
//!
//! Figures use these bytes and no font of the system, so they look the same everywhere.

use std::sync::{Arc, LazyLock};

use plotters::style::{FontStyle, register_font};
use resvg::usvg::fontdb;

use super::FigureError;

/// The family's name in the SVG, in its `@font-face` and in the fonts themselves.
pub const FAMILY: &str = "Inter";

/// Height of the font (ascender to descender) over its em, both in font units: plotters measures by the first, SVG by
/// the second.
pub const HEIGHT_PER_EM: f64 = 3408.0 / 2816.0;

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
const SEMI_BOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");
const COVERAGE: &str = include_str!("../../assets/fonts/coverage.txt");

/// Drawn for a character that the font lacks.
const MISSING: char = '□';

/// Make the font known to plotters, which measures text with it. Cheap after the first call.
pub fn register() -> Result<(), FigureError> {
    static DONE: LazyLock<bool> = LazyLock::new(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, SEMI_BOLD).is_ok()
    });
    if *DONE {
        Ok(())
    } else {
        Err(FigureError::Font)
    }
}

/// The font for the PNG renderer; it knows no other.
pub fn database() -> Arc<fontdb::Database> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(SEMI_BOLD.to_vec());
        Arc::new(fonts)
    });
    FONTS.clone()
}

/// `@font-face` rules with the fonts in them, so that a browser needs nothing beside the SVG.
pub fn css() -> &'static str {
    static CSS: LazyLock<String> = LazyLock::new(|| face(400, REGULAR) + &face(700, SEMI_BOLD));
    &CSS
}

fn face(weight: u32, font: &[u8]) -> String {
    format!(
        "@font-face{{font-family:\"{FAMILY}\";font-weight:{weight};src:url(data:font/otf;base64,{}) format(\"opentype\")}}\n",
        base64(font)
    )
}

/// Text that every renderer draws alike: one line, no control or direction characters, and a white square for each
/// character that the font lacks (it holds Latin, Greek and Cyrillic).
pub fn printable(text: &str) -> String {
    static RANGES: LazyLock<Vec<(u32, u32)>> = LazyLock::new(coverage);
    let known = |c: char| {
        let code = u32::from(c);
        RANGES
            .iter()
            .any(|&(low, high)| (low..=high).contains(&code))
    };
    let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .filter(|&c| !invisible(c))
        .map(|c| match c {
            c if c.is_control() || c.is_whitespace() => ' ',
            c if known(c) => c,
            _ => MISSING,
        })
        .collect()
}

fn coverage() -> Vec<(u32, u32)> {
    let code = |text| u32::from_str_radix(text, 16).ok();
    COVERAGE
        .lines()
        .filter_map(|line| {
            let (low, high) = line.split_once(' ')?;
            Some((code(low)?, code(high)?))
        })
        .collect()
}

/// RFC 4648, with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = (0..3).fold(0, |word, i| {
            word << 8 | usize::from(group.get(i).copied().unwrap_or(0))
        });
        for i in 0..4 {
            if i <= group.len() {
                text.push(char::from(DIGITS[word >> (18 - 6 * i) & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        let vectors = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (n, expected) in vectors.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..n]), *expected);
        }
    }

    #[test]
    fn text_from_strangers_becomes_one_printable_line() {
        assert_eq!(printable("süß–sour → ΔΩ Ж −0.5"), "süß–sour → ΔΩ Ж −0.5");
        assert_eq!(printable("a\u{0}b\nc\u{202e}d"), "a b cd");
        assert_eq!(printable("甘い"), "□□");
    }

    #[test]
    fn both_weights_are_one_family() {
        let fonts = database();
        let mut weights: Vec<u16> = fonts.faces().map(|face| face.weight.0).collect();
        weights.sort_unstable();
        assert_eq!(weights, [400, 600]);
        assert!(fonts.faces().all(|face| face.families[0].0 == FAMILY));
        register().unwrap();
    }
}

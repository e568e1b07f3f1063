//! How text looks, how wide it is, and how it is made to fit.

use std::collections::HashMap;

use plotters::style::{FontDesc, FontFamily, FontStyle};

use super::font;
use super::theme::Colour;

/// Stands for a name that would not be seen.
const BLANK: &str = "(blank)";

/// How a line of text looks and where its given x lies.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    pub size: f64,
    pub bold: bool,
    pub colour: Colour,
    pub alpha: f64,
    pub align: Align,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
    Right,
}

impl Text {
    pub fn new(size: f64, colour: Colour) -> Self {
        let (bold, alpha, align) = (false, 1.0, Align::Left);
        Self {
            size,
            bold,
            colour,
            alpha,
            align,
        }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    pub fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    /// Width of `text` in px. 0 when the font is not registered, which [`draw`](super::canvas::draw) makes sure of.
    pub fn width(&self, text: &str) -> f64 {
        const FINE: f64 = 64.0;
        let size = self.size * font::HEIGHT_PER_EM * FINE;
        let measured = self.font(size).layout_box(text);
        measured.map_or(0.0, |(_, (width, _))| f64::from(width) / FINE)
    }

    /// `text` in at most `lines` lines of at most `width` px, broken after a space or one of `-_/·,`; what does not fit
    /// ends in an ellipsis.
    pub fn wrap(&self, text: &str, width: f64, lines: usize) -> Vec<String> {
        let mut wrapped: Vec<String> = Vec::new();
        let text = font::printable(text);
        let mut rest = text.trim();
        while !rest.is_empty() && wrapped.len() < lines {
            if self.width(rest) <= width {
                wrapped.push(rest.to_owned());
                return wrapped;
            }
            let ends = rest.char_indices().map(|(i, c)| (i + c.len_utf8(), c));
            let breaks = ends
                .filter(|(_, c)| " -_/·,".contains(*c))
                .map(|(end, _)| end);
            let fitting: Vec<usize> = breaks
                .take_while(|&end| self.width(rest[..end].trim_end()) <= width)
                .collect();
            // At a space, unless that leaves most of the line empty: `5,521` and `630k-audioset` stay whole.
            let spaces = fitting
                .iter()
                .copied()
                .filter(|&end| rest[..end].ends_with(' '));
            let wide = |&end: &usize| self.width(rest[..end].trim_end()) >= 0.5 * width;
            let fits = spaces.rev().find(wide).or(fitting.last().copied());
            match fits {
                Some(end) if wrapped.len() + 1 < lines => {
                    wrapped.push(rest[..end].trim_end().to_owned());
                    rest = rest[end..].trim_start();
                }
                _ => {
                    wrapped.push(self.shorten(rest, width));
                    return wrapped;
                }
            }
        }
        wrapped
    }

    /// `text`, cut with an ellipsis when it is wider than `width` px.
    pub fn shorten(&self, text: &str, width: f64) -> String {
        let text = font::printable(text);
        if self.width(&text) <= width {
            return text;
        }
        let ends: Vec<usize> = text.char_indices().map(|(start, _)| start).collect();
        let longest =
            ends.partition_point(|&end| self.width(&format!("{}…", &text[..end])) <= width);
        let end = ends.get(longest.saturating_sub(1)).copied().unwrap_or(0);
        format!("{}…", text[..end].trim_end())
    }

    /// Each of `texts` in at most `width` px. Two that [`Text::shorten`] would make the same lose their middle instead.
    pub fn shorten_apart(&self, texts: &[&str], width: f64) -> Vec<String> {
        let name = |text: &&str| match font::printable(text).trim().is_empty() {
            true => BLANK.to_owned(),
            false => self.shorten(text, width),
        };
        let ends: Vec<String> = texts.iter().map(name).collect();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for text in &ends {
            *seen.entry(text.as_str()).or_default() += 1;
        }
        let twice = |text: &String| text.ends_with('…') && seen.get(text.as_str()) > Some(&1);
        texts
            .iter()
            .zip(&ends)
            .map(|(text, short)| match twice(short) {
                true => self.shorten_middle(text, width),
                false => short.clone(),
            })
            .collect()
    }

    fn shorten_middle(&self, text: &str, width: f64) -> String {
        let text: Vec<char> = font::printable(text).trim().chars().collect();
        let cut = |kept: usize| -> String {
            let head = kept.div_ceil(2);
            let tail = text.len() - (kept - head);
            let (head, tail) = (text.iter().take(head), text.iter().skip(tail));
            head.chain(&['…']).chain(tail).collect()
        };
        // The widths grow with the number of letters kept.
        let (mut fits, mut wide) = (0, text.len());
        while fits + 1 < wide {
            let middle = (fits + wide) / 2;
            match self.width(&cut(middle)) <= width {
                true => fits = middle,
                false => wide = middle,
            }
        }
        cut(fits)
    }

    pub(super) fn font(&self, size: f64) -> FontDesc<'static> {
        let style = if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        FontDesc::new(FontFamily::Name(font::FAMILY), size, style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::theme::INK;

    #[test]
    fn long_text_wraps_and_then_ends_in_an_ellipsis() {
        font::register().unwrap();
        let look = Text::new(12.0, INK);
        let lines = look.wrap(
            "630k-audioset-fusion-best, and more words than fit",
            120.0,
            2,
        );
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "630k-audioset-");
        assert!(lines[1].ends_with('…'), "{lines:?}");
        assert!(lines.iter().all(|line| look.width(line) <= 120.0));
        assert_eq!(look.shorten("short", 120.0), "short");
        let apart = look.shorten_apart(
            &["a taste with a long name 1", "a taste with a long name 2"],
            90.0,
        );
        assert_ne!(apart[0], apart[1]);
        assert!(
            apart
                .iter()
                .all(|text| look.width(text) <= 90.0 && text.contains('…'))
        );
        assert_eq!(look.shorten("цвет", 1.0), "…");
        assert!(look.wrap("  ", 120.0, 2).is_empty());
    }
}

//! A drawing surface in px over plotters' SVG backend.
//!
//! The backend rounds to whole units, so the drawing is made on a grid of [`UNIT`] units per px and the SVG's view box
//! scales it back. Text is placed by its baseline: the backend's other anchors use `ex`, which renderers size differently.

use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
};

use super::theme::{Colour, LEADING, PAPER};
use super::{FigureError, font};

/// Units of the backend's grid per px.
const UNIT: f64 = 8.0;

/// The backend writes size / 1.24 as the font size, and puts the baseline 0.76 of that below a top anchor.
const BACKEND_SIZE: f64 = 1.24;
const BACKEND_BASELINE: f64 = 0.76;

/// Largest width or height of a figure, px: its PNG is twice that and stays under 1 GB in memory.
const LARGEST: f64 = 8000.0;

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

    /// Width of `text` in px. 0 when the font is not registered, which [`draw`] makes sure of.
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
            let fits = breaks
                .take_while(|&end| self.width(rest[..end].trim_end()) <= width)
                .last();
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

    fn font(&self, size: f64) -> FontDesc<'static> {
        let style = if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        FontDesc::new(FontFamily::Name(font::FAMILY), size, style)
    }
}

/// The surface that a chart draws on. Colours have an alpha from 0 (clear) to 1.
pub struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Draw a figure of `width` by `height` px through `fill`, on white; gives the SVG, with the font in it.
/// `title` is what a screen reader says.
pub fn draw(
    (width, height): (f64, f64),
    title: &str,
    fill: impl FnOnce(&mut Canvas<'_>) -> Result<(), FigureError>,
) -> Result<String, FigureError> {
    font::register()?;
    if !(1.0..=LARGEST).contains(&width) || !(1.0..=LARGEST).contains(&height) {
        return Err(FigureError::TooLarge { width, height });
    }
    let (width, height) = (width.ceil(), height.ceil());
    let mut drawing = String::new();
    let mut canvas = Canvas {
        backend: SVGBackend::with_string(&mut drawing, (units(width) as u32, units(height) as u32)),
    };
    canvas.rect((0.0, 0.0), (width, height), PAPER, 1.0)?;
    fill(&mut canvas)?;
    canvas.backend.present().map_err(FigureError::draw)?;
    drop(canvas);
    let body = drawing.split_once('\n').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" role=\"img\">\n\
         <title>{}</title>\n<style>\n{}</style>\n{body}",
        units(width),
        units(height),
        escape(title),
        font::css(),
    ))
}

impl Canvas<'_> {
    /// A filled rectangle between two corners.
    pub fn rect(
        &mut self,
        a: (f64, f64),
        b: (f64, f64),
        fill: Colour,
        alpha: f64,
    ) -> Result<(), FigureError> {
        let style = style(fill, alpha, 0.0);
        let (a, b) = (point(a), point(b));
        self.backend
            .draw_rect(a, b, &style, true)
            .map_err(FigureError::draw)
    }

    /// The outline of a rectangle.
    pub fn outline(
        &mut self,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
        line: Colour,
        width: f64,
    ) -> Result<(), FigureError> {
        // Two points past the start, so that the first corner is joined too.
        let path = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0), (x1, y0)];
        self.path(&path, line, width)
    }

    /// Straight lines from point to point.
    pub fn path(
        &mut self,
        points: &[(f64, f64)],
        line: Colour,
        width: f64,
    ) -> Result<(), FigureError> {
        let points = points.iter().map(|&p| point(p));
        self.backend
            .draw_path(points, &style(line, 1.0, width))
            .map_err(FigureError::draw)
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], fill: Colour) -> Result<(), FigureError> {
        let points = points.iter().map(|&p| point(p));
        self.backend
            .fill_polygon(points, &style(fill, 1.0, 0.0))
            .map_err(FigureError::draw)
    }

    /// A filled circle.
    pub fn dot(
        &mut self,
        centre: (f64, f64),
        radius: f64,
        fill: Colour,
        alpha: f64,
    ) -> Result<(), FigureError> {
        let radius = units(radius).unsigned_abs();
        self.backend
            .draw_circle(point(centre), radius, &style(fill, alpha, 0.0), true)
            .map_err(FigureError::draw)
    }

    /// A diamond with an outline: the sign of a mean in every figure.
    pub fn diamond(
        &mut self,
        (x, y): (f64, f64),
        radius: f64,
        fill: Colour,
        line: Colour,
    ) -> Result<(), FigureError> {
        let at = |r: f64| [(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
        self.polygon(&at(radius + 1.5), line)?;
        self.polygon(&at(radius), fill)
    }

    /// A line of text on a baseline.
    pub fn text(&mut self, text: &str, at: (f64, f64), look: Text) -> Result<(), FigureError> {
        let top = at.1 - BACKEND_BASELINE * look.size;
        self.place(text, (at.0, top), look, FontTransform::None)
    }

    /// A line of text that reads upwards, its baseline at `x`, centred on `y`.
    pub fn text_upwards(
        &mut self,
        text: &str,
        (x, y): (f64, f64),
        look: Text,
    ) -> Result<(), FigureError> {
        let left = x - BACKEND_BASELINE * look.size;
        self.place(
            text,
            (left, y),
            look.align(Align::Centre),
            FontTransform::Rotate270,
        )
    }

    /// Lines of text below each other, the first on the given baseline.
    pub fn lines(
        &mut self,
        lines: &[String],
        (x, y): (f64, f64),
        look: Text,
    ) -> Result<(), FigureError> {
        lines.iter().enumerate().try_for_each(|(i, line)| {
            self.text(line, (x, y + i as f64 * look.size * LEADING), look)
        })
    }

    fn place(
        &mut self,
        text: &str,
        at: (f64, f64),
        look: Text,
        turn: FontTransform,
    ) -> Result<(), FigureError> {
        let align = match look.align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let text = font::printable(text);
        let font = look.font(look.size * BACKEND_SIZE * UNIT).transform(turn);
        let colour = style(look.colour, look.alpha, 0.0).color;
        let style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(align, VPos::Top));
        self.backend
            .draw_text(&text, &style, point(at))
            .map_err(FigureError::draw)
    }
}

fn style(colour: Colour, alpha: f64, width: f64) -> ShapeStyle {
    let style = ShapeStyle::from(RGBColor(colour.0, colour.1, colour.2));
    let width = units(width).unsigned_abs();
    ShapeStyle {
        color: style.color.mix(alpha),
        stroke_width: width,
        ..style
    }
}

fn units(px: f64) -> i32 {
    (px * UNIT).round() as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

/// Text as XML character data; the backend does the same for what it draws.
fn escape(text: &str) -> String {
    font::printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
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
        assert_eq!(look.shorten("цвет", 1.0), "…");
        assert!(look.wrap("  ", 120.0, 2).is_empty());
    }

    #[test]
    fn a_figure_that_is_too_large_is_refused() {
        let error = draw((100.0, 9e5), "x", |_| Ok(())).unwrap_err();
        assert!(matches!(error, FigureError::TooLarge { .. }));
    }
}

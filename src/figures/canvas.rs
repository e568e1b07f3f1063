//! A drawing surface in px over plotters' SVG backend.
//!
//! The backend rounds to whole units, so the drawing is made on a grid of [`UNIT`] units per px and the SVG's view box
//! scales it back. Text is placed by its baseline: the backend's other anchors use `ex`, which renderers size differently.

use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::look::{Align, Text};
use super::marker::Shape;
use super::theme::{Colour, FIGURE_WIDTH, LEADING, PAPER, Tint};
use super::{FigureError, font};

/// Units of the backend's grid per px.
const UNIT: f64 = 8.0;

/// The backend writes size / 1.24 as the font size, and puts the baseline 0.76 of that below a top anchor.
const BACKEND_SIZE: f64 = 1.24;
const BACKEND_BASELINE: f64 = 0.76;

/// Largest height of a figure, px: its PNG stays under 200 MB in memory.
const TALLEST: f64 = 7000.0;

/// The surface that a chart draws on. Colours have an alpha from 0 (clear) to 1.
pub struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Draw a figure of `width` by `height` px through `fill`, on white; gives the SVG, with the font in it.
/// `title` and `about` are what a screen reader says.
pub fn draw(
    (width, height): (f64, f64),
    (title, about): (&str, &str),
    fill: impl FnOnce(&mut Canvas<'_>) -> Result<(), FigureError>,
) -> Result<String, FigureError> {
    font::register()?;
    if !(1.0..=FIGURE_WIDTH).contains(&width) || !(1.0..=TALLEST).contains(&height) {
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
         <title>{}</title>\n<desc>{}</desc>\n<style>\n{}</style>\n{body}",
        units(width),
        units(height),
        escape(title),
        escape(about),
        font::css(),
    ))
}

/// The SVG of a figure without its font, for a page that has [`font::css`] once for all of its figures.
pub fn without_font(svg: &str) -> String {
    let style = format!("<style>\n{}</style>\n", font::css());
    svg.replacen(&style, "", 1)
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

    /// The inside of a box in a taste's tint: a pale fill, with lines across it where the tint is hatched.
    pub fn tinted(
        &mut self,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
        tint: Tint,
    ) -> Result<(), FigureError> {
        let share = if tint.hatched { 0.12 } else { 0.4 };
        self.rect((x0, y0), (x1, y1), PAPER, 1.0)?;
        self.rect((x0, y0), (x1, y1), tint.colour, share)?;
        match tint.hatched {
            true => self.hatch((x0, y0), (x1, y1), tint.colour),
            false => Ok(()),
        }
    }

    /// Lines at 45 degrees across a rectangle.
    fn hatch(
        &mut self,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
        line: Colour,
    ) -> Result<(), FigureError> {
        const STEP: f64 = 3.5;
        let (left, right, top, bottom) = (x0.min(x1), x0.max(x1), y0.min(y1), y0.max(y1));
        let (width, height) = (right - left, bottom - top);
        let count = ((width + height) / STEP) as usize;
        for i in 1..=count {
            // The line x + y = reach, counted from the upper left corner.
            let reach = i as f64 * STEP;
            let from = (reach.min(width), (reach - width).max(0.0));
            let to = ((reach - height).max(0.0), reach.min(height));
            self.path(
                &[(left + from.0, top + from.1), (left + to.0, top + to.1)],
                line,
                0.9,
            )?;
        }
        Ok(())
    }

    /// Straight lines from point to point.
    pub fn path(
        &mut self,
        points: &[(f64, f64)],
        line: Colour,
        width: f64,
    ) -> Result<(), FigureError> {
        self.stroke(points, line, 1.0, width)
    }

    fn stroke(
        &mut self,
        points: &[(f64, f64)],
        line: Colour,
        alpha: f64,
        width: f64,
    ) -> Result<(), FigureError> {
        let points = points.iter().map(|&p| point(p));
        self.backend
            .draw_path(points, &style(line, alpha, width))
            .map_err(FigureError::draw)
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], fill: Colour) -> Result<(), FigureError> {
        self.fill(points, fill, 1.0)
    }

    fn fill(&mut self, points: &[(f64, f64)], fill: Colour, alpha: f64) -> Result<(), FigureError> {
        let points = points.iter().map(|&p| point(p));
        self.backend
            .fill_polygon(points, &style(fill, alpha, 0.0))
            .map_err(FigureError::draw)
    }

    /// The sign of one piece: `shape` with about the area of a circle of `radius` px.
    pub fn marker(
        &mut self,
        shape: Shape,
        centre: (f64, f64),
        radius: f64,
        (colour, hollow): (Colour, bool),
        alpha: f64,
    ) -> Result<(), FigureError> {
        // The outline of a hollow sign lies within the filled one.
        let line = (0.5 * radius).clamp(0.6, 1.3);
        let inner = radius - line / 2.0;
        match (
            shape.corners(centre, if hollow { inner } else { radius }),
            hollow,
        ) {
            (None, false) => self.dot(centre, radius, colour, alpha),
            (None, true) => self
                .backend
                .draw_circle(
                    point(centre),
                    units(inner).unsigned_abs(),
                    &style(colour, alpha, line),
                    false,
                )
                .map_err(FigureError::draw),
            (Some(corners), false) => self.fill(&corners, colour, alpha),
            (Some(mut corners), true) => {
                // Two points past the start, so that the first corner is joined too.
                corners.extend_from_within(..2);
                self.stroke(&corners, colour, alpha, line)
            }
        }
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

    /// A line of text that reads upwards, its baseline at `x`; `y` is its lower end, or its middle where it is centred.
    pub fn text_upwards(
        &mut self,
        text: &str,
        (x, y): (f64, f64),
        look: Text,
    ) -> Result<(), FigureError> {
        let left = x - BACKEND_BASELINE * look.size;
        self.place(text, (left, y), look, FontTransform::Rotate270)
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

    #[test]
    fn a_figure_that_is_too_large_is_refused() {
        let error = draw((100.0, 9e5), ("x", "y"), |_| Ok(())).unwrap_err();
        assert!(matches!(error, FigureError::TooLarge { .. }));
    }
}

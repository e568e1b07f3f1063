//! The PDF of an SVG, at its size: its shapes, and its text as outlines, which print alike everywhere.
//!
//! It holds what the canvas draws, shapes in one colour, and no date, so that the same SVG gives the same bytes. What it could
//! not show is an error. Why no package does it: docs/decisions.md.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use foreign::guarded;
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};
use resvg::tiny_skia::{PathSegment, Point, Transform};
use resvg::usvg::{
    BlendMode, Color, FillRule, Group, LineCap, LineJoin, Node, Opacity, Paint, PaintOrder, Path,
};

use super::{FigureError, tree};

/// Points a px: 72 an inch of 96.
const POINTS: f32 = 0.75;

/// Draw `svg`, which the canvas made; `title` is what a viewer shows.
pub fn of_svg(svg: &str, title: &str) -> Result<Vec<u8>, FigureError> {
    // The numbers in it come from files that may be anybody's.
    guarded(|| draw(svg, title)).unwrap_or_else(|| Err(FigureError::draw("the PDF gave up")))
}

fn draw(svg: &str, title: &str) -> Result<Vec<u8>, FigureError> {
    let tree = tree::of_svg(svg)?;
    let (width, height) = (tree.size().width() * POINTS, tree.size().height() * POINTS);
    let mut page = Page {
        content: Content::new(),
        alphas: BTreeSet::new(),
    };
    // A PDF counts from below.
    page.content
        .transform([POINTS, 0.0, 0.0, -POINTS, 0.0, height]);
    page.group(tree.root(), Transform::identity(), Opacity::ONE)?;
    page.written((width, height), title)
}

/// A page that is being drawn.
struct Page {
    content: Content,
    /// The opacities that are used, in 255 parts; each has a state of its own.
    alphas: BTreeSet<u8>,
}

impl Page {
    /// What opacities a group has go to its shapes: the canvas gives one to a shape or a line of text, whose parts do not lie
    /// over each other.
    fn group(
        &mut self,
        group: &Group,
        above: Transform,
        opacity: Opacity,
    ) -> Result<(), FigureError> {
        let plain = group.clip_path().is_none()
            && group.mask().is_none()
            && group.filters().is_empty()
            && group.blend_mode() == BlendMode::Normal;
        if !plain {
            return Err(unknown("a clip, a mask or a filter"));
        }
        let transform = above.pre_concat(group.transform());
        let opacity = opacity * group.opacity();
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group, transform, opacity)?,
                Node::Text(text) => self.group(text.flattened(), transform, opacity)?,
                Node::Path(path) if path.is_visible() => self.path(path, transform, opacity)?,
                Node::Path(_) => {}
                Node::Image(_) => return Err(unknown("an image")),
            }
        }
        Ok(())
    }

    fn path(
        &mut self,
        path: &Path,
        transform: Transform,
        opacity: Opacity,
    ) -> Result<(), FigureError> {
        let Transform {
            sx,
            ky,
            kx,
            sy,
            tx,
            ty,
        } = transform;
        self.content
            .save_state()
            .transform([sx, ky, kx, sy, tx, ty]);
        match path.paint_order() {
            PaintOrder::FillAndStroke => {
                self.fill(path, opacity)?;
                self.stroke(path, opacity)?;
            }
            PaintOrder::StrokeAndFill => {
                self.stroke(path, opacity)?;
                self.fill(path, opacity)?;
            }
        }
        self.content.restore_state();
        Ok(())
    }

    fn fill(&mut self, path: &Path, opacity: Opacity) -> Result<(), FigureError> {
        let Some(fill) = path.fill() else {
            return Ok(());
        };
        let [r, g, b] = rgb(fill.paint())?;
        self.alpha(opacity * fill.opacity());
        self.content.set_fill_rgb(r, g, b);
        self.outline(path);
        match fill.rule() {
            FillRule::NonZero => self.content.fill_nonzero(),
            FillRule::EvenOdd => self.content.fill_even_odd(),
        };
        Ok(())
    }

    fn stroke(&mut self, path: &Path, opacity: Opacity) -> Result<(), FigureError> {
        let Some(stroke) = path.stroke() else {
            return Ok(());
        };
        let [r, g, b] = rgb(stroke.paint())?;
        self.alpha(opacity * stroke.opacity());
        self.content
            .set_stroke_rgb(r, g, b)
            .set_line_width(stroke.width().get())
            .set_miter_limit(stroke.miterlimit().get())
            .set_line_cap(match stroke.linecap() {
                LineCap::Butt => LineCapStyle::ButtCap,
                LineCap::Round => LineCapStyle::RoundCap,
                LineCap::Square => LineCapStyle::ProjectingSquareCap,
            })
            .set_line_join(match stroke.linejoin() {
                LineJoin::Miter | LineJoin::MiterClip => LineJoinStyle::MiterJoin,
                LineJoin::Round => LineJoinStyle::RoundJoin,
                LineJoin::Bevel => LineJoinStyle::BevelJoin,
            });
        let dashes = stroke.dasharray().unwrap_or_default().iter().copied();
        self.content.set_dash_pattern(dashes, stroke.dashoffset());
        self.outline(path);
        self.content.stroke();
        Ok(())
    }

    fn alpha(&mut self, opacity: Opacity) {
        let alpha = opacity.to_u8();
        self.alphas.insert(alpha);
        self.content.set_parameters(Name(state(alpha).as_bytes()));
    }

    fn outline(&mut self, path: &Path) {
        let mut at = Point::zero();
        for segment in path.data().segments() {
            at = match segment {
                PathSegment::MoveTo(to) => {
                    self.content.move_to(to.x, to.y);
                    to
                }
                PathSegment::LineTo(to) => {
                    self.content.line_to(to.x, to.y);
                    to
                }
                // A PDF has cubic curves only.
                PathSegment::QuadTo(by, to) => {
                    let near = |end: f32, by: f32| end + (by - end) * 2.0 / 3.0;
                    let near = |end: Point| Point::from_xy(near(end.x, by.x), near(end.y, by.y));
                    let (a, b) = (near(at), near(to));
                    self.content.cubic_to(a.x, a.y, b.x, b.y, to.x, to.y);
                    to
                }
                PathSegment::CubicTo(a, b, to) => {
                    self.content.cubic_to(a.x, a.y, b.x, b.y, to.x, to.y);
                    to
                }
                PathSegment::Close => {
                    self.content.close_path();
                    at
                }
            };
        }
    }

    /// The whole file.
    fn written(self, (width, height): (f32, f32), title: &str) -> Result<Vec<u8>, FigureError> {
        let (catalog, pages, page, content, info) = (
            Ref::new(1),
            Ref::new(2),
            Ref::new(3),
            Ref::new(4),
            Ref::new(5),
        );
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(pages);
        pdf.pages(pages).kids([page]).count(1);
        let mut of_page = pdf.page(page);
        of_page
            .media_box(Rect::new(0.0, 0.0, width, height))
            .parent(pages)
            .contents(content);
        // All shapes on the white of the page are one group, in the colours of screens.
        of_page.group().transparency().color_space().device_rgb();
        let mut resources = of_page.resources();
        let mut states = resources.ext_g_states();
        for alpha in &self.alphas {
            let opacity = f32::from(*alpha) / 255.0;
            states
                .insert(Name(state(*alpha).as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState>()
                .stroking_alpha(opacity)
                .non_stroking_alpha(opacity);
        }
        states.finish();
        resources.finish();
        of_page.finish();
        let packed = packed(&self.content.finish()).map_err(FigureError::draw)?;
        pdf.stream(content, &packed).filter(Filter::FlateDecode);
        pdf.document_info(info)
            .title(TextStr(title))
            .producer(TextStr("harness"));
        Ok(pdf.finish())
    }
}

fn packed(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(content)?;
    packed.finish()
}

/// The name of an opacity's state.
fn state(alpha: u8) -> String {
    format!("a{alpha}")
}

fn rgb(paint: &Paint) -> Result<[f32; 3], FigureError> {
    match paint {
        Paint::Color(Color { red, green, blue }) => {
            Ok([red, green, blue].map(|part| f32::from(*part) / 255.0))
        }
        _ => Err(unknown("a gradient or a pattern")),
    }
}

fn unknown(what: &'static str) -> FigureError {
    FigureError::Draw(foreign::words!(
        "a PDF is made of shapes in one colour, and the figure has {}",
        what
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::canvas;
    use crate::figures::look::Text;
    use crate::figures::marker::Shape;
    use crate::figures::theme::{INK, WARNING};

    fn figure() -> String {
        canvas::draw((200.0, 100.0), ("title", "about"), |canvas| {
            canvas.rect((10.0, 10.0), (50.0, 50.0), WARNING, 0.5)?;
            canvas.path(&[(0.0, 0.0), (20.0, 20.0)], INK, 1.0)?;
            canvas.marker(Shape::nth(0), (60.0, 60.0), 4.0, (INK, true), 0.8)?;
            canvas.text("A line", (20.0, 80.0), Text::new(10.0, INK))
        })
        .unwrap()
    }

    #[test]
    fn the_page_has_the_size_of_the_figure_and_the_same_bytes_again() {
        let pdf = of_svg(&figure(), "A figure").unwrap();
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.starts_with("%PDF-1.7"), "{}", &text[..20]);
        assert!(text.contains("/MediaBox [0 0 150 75]"), "{text}");
        assert!(text.contains("/ca 0.5"), "{text}");
        assert!(!text.contains("Date") && text.contains("(A figure)"));
        assert!(pdf.len() < 6_000, "{} bytes", pdf.len());
        assert_eq!(pdf, of_svg(&figure(), "A figure").unwrap());
    }

    #[test]
    fn what_it_could_not_show_is_refused() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><defs><linearGradient id=\"g\">\
             <stop offset=\"0\" stop-color=\"red\"/><stop offset=\"1\" stop-color=\"blue\"/></linearGradient></defs>\
             <rect width=\"9\" height=\"9\" fill=\"url(#g)\"/></svg>";
        let refused = of_svg(svg, "x").unwrap_err().to_string();
        assert!(
            refused.contains("the figure has a gradient or a pattern"),
            "{refused}"
        );
        assert!(of_svg("<svg", "x").is_err());
    }
}

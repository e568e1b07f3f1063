//! Whole run folders with made-up numbers, drawn.

mod errors;
mod made_up;
mod shapes;
mod strange;

use std::fs;
use std::path::Path;

use resvg::usvg;

use super::theme::FIGURE_WIDTH;
use super::{canvas, font, redraw, run, theme};

/// The figures of a folder: stem and SVG.
fn svgs(folder: &Path) -> Vec<(String, String)> {
    let paths = redraw(folder).unwrap();
    let svgs = paths
        .iter()
        .filter(|path| path.extension().unwrap() == "svg");
    svgs.map(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        (stem.to_owned(), fs::read_to_string(path).unwrap())
    })
    .collect()
}

fn stems(figures: &[(String, String)]) -> Vec<&str> {
    figures.iter().map(|(stem, _)| stem.as_str()).collect()
}

fn bytes(folder: &Path) -> Vec<Vec<u8>> {
    let paths = redraw(folder).unwrap();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A text of a figure: what it says, its box in px (left, top, right, bottom) and its size in px.
struct Placed {
    text: String,
    at: [f64; 4],
    size: f64,
}

/// What an SVG renderer makes of the texts of a figure, and its size; fails when it is not valid XML.
fn texts(svg: &str) -> (Vec<Placed>, (f64, f64)) {
    let options = usvg::Options {
        fontdb: font::database(),
        font_family: font::FAMILY.to_owned(),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&canvas::without_font(svg), &options).unwrap();
    let mut placed = Vec::new();
    collect(tree.root(), &mut placed);
    let size = (tree.size().width().into(), tree.size().height().into());
    (placed, size)
}

fn collect(group: &usvg::Group, placed: &mut Vec<Placed>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => collect(group, placed),
            usvg::Node::Text(text) => {
                let at = text.abs_bounding_box();
                let scale = f64::from(text.abs_transform().get_scale().0);
                let span = &text.chunks()[0].spans()[0];
                placed.push(Placed {
                    text: text.chunks()[0].text().trim().to_owned(),
                    at: [at.left(), at.top(), at.right(), at.bottom()].map(f64::from),
                    size: f64::from(span.font_size().get()) * scale,
                });
            }
            _ => {}
        }
    }
}

/// That a figure can be printed as it is: not too wide, no text under 7 pt, none outside, and none over another.
fn assert_printable(name: &str, svg: &str) {
    let (texts, (width, height)) = texts(svg);
    assert!(width <= FIGURE_WIDTH, "{name} is {width} px wide");
    let texts: Vec<Placed> = texts
        .into_iter()
        .filter(|placed| !placed.text.is_empty())
        .filter(|placed| placed.size < 14.0 && !run::RANDOM.starts_with(&placed.text))
        .collect();
    assert!(texts.len() > 4, "{name} has its texts");
    for (i, a) in texts.iter().enumerate() {
        let (text, at) = (&a.text, a.at);
        assert!(
            a.size >= 7.0 * 96.0 / 72.0,
            "{name}: {text} is {} px",
            a.size
        );
        let inside = at[0] >= 0.0 && at[1] >= 0.0 && at[2] <= width && at[3] <= height;
        assert!(inside, "{name}: {text} lies outside, at {at:?}");
        for b in &texts[..i] {
            // The boxes are those of the font's lines; glyphs end 2 px above and below at the least.
            let across = at[2].min(b.at[2]) - at[0].max(b.at[0]);
            let down = at[3].min(b.at[3]) - at[1].max(b.at[1]);
            assert!(
                across < 0.5 || down < 4.0,
                "{name}: {text} at {at:?} lies over {} at {:?}",
                b.text,
                b.at
            );
        }
    }
}

#[test]
fn a_figure_whose_texts_lie_over_each_other_is_found() {
    let draw = |x: f64, y: f64, size: f64| {
        let look = super::look::Text::new(size, theme::INK);
        let svg = canvas::draw((300.0, 200.0), ("title", "about"), |canvas| {
            for i in 0..5 {
                canvas.text("text", (100.0, 40.0 + 15.0 * f64::from(i)), look)?;
            }
            canvas.text("text", (x, y), look)
        });
        let svg = svg.unwrap();
        std::panic::catch_unwind(|| assert_printable("it", &svg)).is_ok()
    };
    assert!(draw(150.0, 40.0, 9.5));
    assert!(!draw(110.0, 40.0, 9.5), "over another");
    assert!(!draw(290.0, 40.0, 9.5), "outside");
    assert!(!draw(150.0, 40.0, 9.0), "too small");
}

//! The figures of a run folder as parts of a page.
//!
//! Run folders travel, so a figure is read and written anew from a list of elements and attributes that draw and do nothing
//! else: no script, no link, no style, no identifier that could clash with another figure's, and not the font, which the page
//! holds once.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use files::{self, regular};
use foreign::guarded;
use resvg::usvg::roxmltree::{Document, Node};

use super::ReportError;
use crate::figures;

/// A figure ready to stand in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// The file's name without its ending.
    pub stem: String,
    /// The figure's own title.
    pub title: String,
    /// What it shows, in its own words; may be empty.
    pub about: String,
    /// Width and height, px.
    pub size: (u32, u32),
    /// `<svg>` to `</svg>`.
    pub(super) svg: String,
    /// Whether there is a PNG beside it.
    pub has_png: bool,
}

const ELEMENTS: [&str; 11] = [
    "svg", "g", "rect", "circle", "ellipse", "line", "polyline", "polygon", "path", "text", "tspan",
];

const ATTRIBUTES: [&str; 38] = [
    "viewBox",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "dx",
    "dy",
    "width",
    "height",
    "points",
    "d",
    "transform",
    "fill",
    "fill-opacity",
    "fill-rule",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-linejoin",
    "text-anchor",
    "dominant-baseline",
    "font-family",
    "font-size",
    "font-weight",
    "font-style",
    "letter-spacing",
    "preserveAspectRatio",
    "shape-rendering",
];

/// The order in which figures are shown; others follow by name.
const ORDER: [&str; 10] = [
    "scores",
    "differences",
    "histogram",
    "by_prompt",
    "tsne",
    "tsne_joint",
    "clusters",
    "similarity",
    "similarity_text",
    "nearest",
];

/// Most bytes of a figure that a page takes in.
const MOST_BYTES: u64 = 16 << 20;

/// Elements within elements; a stranger's file could hold more than the stack.
const DEEPEST: usize = 32;

/// Every figure of the run in `run_dir`; none when it has no folder of figures. One that is no SVG is left out: its link would not help either.
pub fn read_all(run_dir: &Path) -> Result<Vec<Drawing>, ReportError> {
    let failed = |source| ReportError::Read {
        path: run_dir.join(figures::FOLDER),
        source,
    };
    let folder = files::inside(run_dir, figures::FOLDER).map_err(failed)?;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut drawings = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let is_svg = path.extension().is_some_and(|e| e == "svg");
        let fits = fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= MOST_BYTES);
        let Some(stem) = path.file_stem().and_then(|s| s.to_str()) else {
            continue;
        };
        if !is_svg || !fits || stem.starts_with('.') {
            continue;
        }
        let own = files::in_its_folder(&path);
        let text = own.and_then(|path| regular::read_text(&path, MOST_BYTES));
        let text = text.map_err(failed)?;
        let has_png = path.with_extension("png").is_file();
        drawings.extend(guarded(|| drawing(stem, &text, has_png)).flatten());
    }
    drawings.sort_by(|a, b| (place(&a.stem), &a.stem).cmp(&(place(&b.stem), &b.stem)));
    Ok(drawings)
}

fn place(stem: &str) -> usize {
    let known = ORDER.iter().position(|name| *name == stem);
    known.unwrap_or(ORDER.len())
}

/// The figure in `text`, without what does not draw; `None` when it is no SVG.
fn drawing(stem: &str, text: &str, has_png: bool) -> Option<Drawing> {
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" {
        return None;
    }
    let pixels = |name: &str| -> Option<u32> {
        let value: f64 = root.attribute(name)?.parse().ok()?;
        (1.0..=20_000.0)
            .contains(&value)
            .then_some(value.round() as u32)
    };
    let words = |name: &str| {
        let mut children = root.children();
        let found = children.find(|node| node.tag_name().name() == name);
        let text = found.and_then(|node| node.text()).unwrap_or_default();
        text.trim().to_owned()
    };
    let title = Some(words("title")).filter(|title| !title.is_empty());
    let size = (pixels("width")?, pixels("height")?);
    let mut svg = String::with_capacity(text.len() / 2);
    write(root, 0, &mut svg);
    Some(Drawing {
        stem: stem.to_owned(),
        title: title.unwrap_or_else(|| stem.to_owned()),
        about: words("desc"),
        size,
        svg,
        has_png,
    })
}

fn write(node: Node<'_, '_>, depth: usize, out: &mut String) {
    if node.is_text() {
        escape(node.text().unwrap_or_default().trim_matches('\n'), out);
        return;
    }
    let name = node.tag_name().name();
    let Some(name) = ELEMENTS.iter().find(|known| **known == name) else {
        return;
    };
    if depth > DEEPEST {
        return;
    }
    out.push('<');
    out.push_str(name);
    if depth == 0 {
        out.push_str(" aria-hidden=\"true\" focusable=\"false\"");
    }
    for attribute in node.attributes() {
        let known = ATTRIBUTES.contains(&attribute.name()) && attribute.namespace().is_none();
        // A value can fetch only through `url(...)`.
        if known && !attribute.value().contains("url") {
            out.push(' ');
            out.push_str(attribute.name());
            out.push_str("=\"");
            escape(attribute.value(), out);
            out.push('"');
        }
    }
    if node.has_children() {
        out.push('>');
        node.children()
            .for_each(|child| write(child, depth + 1, out));
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    } else {
        out.push_str("/>");
    }
}

fn escape(text: &str, out: &mut String) {
    let mut html = super::html::Html::new();
    html.text(text);
    out.push_str(&html.into_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_draws_is_kept() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="20.4"
            viewBox="0 0 80 160" onload="alert(1)"><title>a &lt;title&gt;</title><desc>what &amp; why</desc><style>@font-face{src:url(data:x)} *{display:none}</style>
            <script>alert(2)</script><foreignObject><b>x</b></foreignObject><a xlink:href="javascript:alert(3)"><text>lost</text></a>
            <rect id="i" class="c" style="x" x="1" fill="url(http://h/#x)" onclick="alert(4)"/><text y="2">&lt;b&gt; &amp; é</text>
            <image href="http://h/x.png"/><use href="#i"/></svg>"##;
        let found = drawing("scores", svg, false).unwrap();
        assert_eq!(
            (found.title.as_str(), found.about.as_str(), found.size),
            ("a <title>", "what & why", (10, 20))
        );
        let kept: Vec<&str> = found.svg.split_whitespace().collect();
        assert_eq!(
            kept.join(" "),
            "<svg aria-hidden=\"true\" focusable=\"false\" width=\"10\" height=\"20.4\" viewBox=\"0 0 80 160\"> <rect x=\"1\"/>\
             <text y=\"2\">&lt;b&gt; &amp; é</text> </svg>"
        );
        assert_eq!(drawing("x", "<html/>", false), None);
        assert_eq!(drawing("x", "not xml", false), None);
    }

    #[test]
    fn figures_stand_in_a_fixed_order() {
        let mut stems = ["zebra", "tsne", "differences", "another", "scores"];
        stems.sort_by_key(|stem| (place(stem), *stem));
        assert_eq!(stems, ["scores", "differences", "tsne", "another", "zebra"]);
    }
}

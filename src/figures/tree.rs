//! The SVG of a figure, read for what is made of it: PNG and PDF.

use resvg::usvg::{Options, Tree};

use super::{FigureError, canvas, font};

/// `svg`, which the canvas made, with its text laid out.
pub fn of_svg(svg: &str) -> Result<Tree, FigureError> {
    let options = Options {
        fontdb: font::database(),
        font_family: font::FAMILY.to_owned(),
        ..Options::default()
    };
    // The font is there already; reading it again out of the style would cost more than the drawing.
    Tree::from_str(&canvas::without_font(svg), &options).map_err(FigureError::draw)
}

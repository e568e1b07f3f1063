//! The PNG of an SVG, at 300 dpi and saying so, so that word processors and LaTeX place it at the size of the SVG.

use foreign::guarded;
use resvg::tiny_skia;

use super::theme::{DPI, PNG_SCALE};
use super::{FigureError, tree};

/// Draw `svg`, which the canvas made: opaque, [`PNG_SCALE`] pixels per px.
pub fn of_svg(svg: &str) -> Result<Vec<u8>, FigureError> {
    // The numbers in it come from files that may be anybody's.
    guarded(|| draw(svg)).unwrap_or_else(|| Err(FigureError::draw("the rasteriser gave up")))
}

fn draw(svg: &str) -> Result<Vec<u8>, FigureError> {
    let tree = tree::of_svg(svg)?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let pixels = |px: f32| (px * PNG_SCALE).round() as u32;
    let mut pixmap =
        tiny_skia::Pixmap::new(pixels(width), pixels(height)).ok_or(FigureError::TooLarge {
            width: width.into(),
            height: height.into(),
        })?;
    // The last row of pixels may lie half outside of the drawing's own white.
    pixmap.fill(tiny_skia::Color::WHITE);
    let scale = tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE);
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    encode(&pixmap)
}

/// Without the alpha channel: the paper is white all over.
fn encode(pixmap: &tiny_skia::Pixmap) -> Result<Vec<u8>, FigureError> {
    let pixels = pixmap.data().chunks_exact(4);
    let rgb: Vec<u8> = pixels.flat_map(|p| [p[0], p[1], p[2]]).collect();
    let per_metre = (f64::from(DPI) / 0.0254).round() as u32;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(FigureError::draw)?;
    writer.write_image_data(&rgb).map_err(FigureError::draw)?;
    writer.finish().map_err(FigureError::draw)?;
    Ok(bytes)
}

//! Figures from the CSVs of a run folder: SVG, and the PNG of that SVG. The only place that names `plotters`.

mod axis;
pub mod boxplot;
pub mod by_prompt;
mod canvas;
pub mod differences;
pub(crate) mod font;
mod frame;
mod manifest;
mod prompts;
mod redraw;
mod swarm;
pub mod theme;

use std::io;
use std::path::{Path, PathBuf};

use resvg::{tiny_skia, usvg};
use thiserror::Error;

use crate::analysis::StatsError;
use crate::files;
use crate::report::ReportError;
use crate::report::manifest::ManifestError;

pub use redraw::{draw_first, redraw};

/// Why a figure could not be drawn or saved.
#[derive(Debug, Error)]
pub enum FigureError {
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("cannot draw {}: {source}", path.display())]
    Stats { path: PathBuf, source: StatsError },
    #[error("cannot draw {}: it holds no scores; run the experiment again", path.display())]
    Empty { path: PathBuf },
    #[error(
        "cannot draw {}: it has {found} tastes, and a figure holds at most {most}; name fewer groups in column `taste`", path.display()
    )]
    TooManyTastes {
        path: PathBuf,
        found: usize,
        most: usize,
    },
    #[error(
        "{} does not belong to the scores beside it: {what}; delete it and draw again, it will be computed", path.display()
    )]
    Stale { path: PathBuf, what: String },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "a figure of {width:.0} by {height:.0} px is too large to draw: compare fewer arms in one run"
    )]
    TooLarge { width: f64, height: f64 },
    #[error(
        "the font that ships with the program cannot be read: build it again from a clean checkout"
    )]
    Font,
    #[error("drawing failed: {0}")]
    Draw(String),
}

impl FigureError {
    fn draw(error: impl std::fmt::Display) -> Self {
        Self::Draw(error.to_string())
    }
}

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Self-contained: the font is inside.
    pub svg: String,
    /// The same drawing, [`theme::PNG_SCALE`] pixels per px.
    pub png: Vec<u8>,
}

impl Figure {
    fn from_svg(svg: String) -> Result<Self, FigureError> {
        let options = usvg::Options {
            fontdb: font::database(),
            font_family: font::FAMILY.to_owned(),
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&svg, &options).map_err(FigureError::draw)?;
        let (width, height) = (tree.size().width(), tree.size().height());
        let pixels = |px: f32| (px * theme::PNG_SCALE).ceil() as u32;
        let mut pixmap =
            tiny_skia::Pixmap::new(pixels(width), pixels(height)).ok_or(FigureError::TooLarge {
                width: width.into(),
                height: height.into(),
            })?;
        let scale = tiny_skia::Transform::from_scale(theme::PNG_SCALE, theme::PNG_SCALE);
        resvg::render(&tree, scale, &mut pixmap.as_mut());
        let png = pixmap.encode_png().map_err(FigureError::draw)?;
        Ok(Self { svg, png })
    }

    /// Write `<stem>.svg` and `<stem>.png` into `folder`, which must exist; gives their paths.
    pub fn save(&self, folder: &Path, stem: &str) -> Result<[PathBuf; 2], FigureError> {
        let save = |extension: &str, bytes: &[u8]| {
            let path = folder.join(format!("{stem}.{extension}"));
            match files::write_bytes(&path, bytes) {
                Ok(()) => Ok(path),
                Err(source) => Err(FigureError::Write { path, source }),
            }
        };
        Ok([save("svg", self.svg.as_bytes())?, save("png", &self.png)?])
    }
}

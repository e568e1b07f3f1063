//! Figures from the CSVs of a run folder: SVG, and the PNG of that SVG, and on demand its PDF. The only place that names `plotters`.
//!
//! Every figure is laid out for a printed page, 180 mm wide with no text under 7 pt, so that it goes into a paper as it is;
//! the sizes and the colours are in [`theme`], and [`STEMS`] says which figures there are.

mod axis;
mod boxplot;
mod by_prompt;
mod canvas;
mod clusters;
mod differences;
pub(crate) mod font;
mod frame;
mod heat;
mod histogram;
mod legend;
mod look;
mod manifest;
mod maps;
mod marker;
mod nearest;
mod page;
mod pdf;
mod png;
mod prompts;
mod redraw;
mod run;
mod scores;
mod similarity;
mod summaries;
mod swarm;
#[cfg(test)]
mod tests;
pub mod theme;
mod tree;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::labels::{Said, Word};
use crate::statistics::StatsError;
use crate::tables::TableError;
use crate::tables::manifest::ManifestError;
use foreign::{Foreign, Words};

pub use redraw::{Drawn, draw_first, drawn, redraw, redraw_with_pdf};

/// The folder of the figures in a run folder.
pub const FOLDER: &str = "figures";

/// The figures that a run folder can have, in the order in which a report shows them: the stem of their files in
/// `figures/`, and what they show in one line, of a run whose labels are tastes.
pub const STEMS: [(&str, &str); 10] = [
    (
        "scores",
        "Box plots of the CLAP scores by taste, one panel an arm or a set of pieces, with every piece and the mean with its interval.",
    ),
    (
        "differences",
        "Paired differences of the CLAP scores, piece by piece, with the mean difference of each taste and its interval.",
    ),
    (
        "histogram",
        "How often each value occurs in one set and in another: CLAP scores of two sets of pieces, or cosines of texts two by two.",
    ),
    (
        "by_prompt",
        "The CLAP scores of each prompt's draws, with their mean and its interval.",
    ),
    (
        "tsne",
        "t-SNE maps of the embeddings, one panel an arm: near points are alike, colours are tastes.",
    ),
    (
        "tsne_joint",
        "Joint t-SNE maps of the embeddings of several arms: colours are tastes, shapes are arms.",
    ),
    (
        "clusters",
        "How well the tastes lie apart in the embeddings: silhouettes of the arms with their intervals, and their differences.",
    ),
    (
        "similarity",
        "Heat maps of the mean cosine between the pieces of two tastes, and between pieces and prompts.",
    ),
    (
        "similarity_text",
        "Heat maps of the mean cosine between pieces and prompts, taste by taste, where there are many tastes.",
    ),
    (
        "nearest",
        "The texts that lie nearest to each query, with their cosine.",
    ),
];

/// What the figure with this stem shows, in one line, with `word` for labels; empty for a stem that is not in [`STEMS`].
pub fn about(stem: &str, word: &Word) -> Said {
    let found = STEMS.iter().find(|(known, _)| *known == stem);
    word.said(found.map_or("", |(_, about)| about))
}

/// Why a figure could not be drawn or saved.
#[derive(Debug, Error)]
pub enum FigureError {
    #[error(transparent)]
    Report(#[from] TableError),
    #[error("cannot draw {}: {source}", path.display())]
    Stats { path: PathBuf, source: StatsError },
    #[error("cannot draw {}: it holds no scores; run the experiment again", path.display())]
    Empty { path: PathBuf },
    #[error(
        "cannot draw {}: it has {found} {}, and a figure holds at most {most}; name fewer groups in column `{}`",
        path.display(), word.many(), word.one()
    )]
    TooManyTastes {
        path: PathBuf,
        found: usize,
        most: usize,
        word: Word,
    },
    #[error(
        "{} does not belong to the scores beside it: {what}; delete it and draw again, it will be computed", path.display()
    )]
    Stale { path: PathBuf, what: Words },
    #[error(
        "{} does not belong to the scores beside it: {what}; run the experiment again with --fresh, or delete the file to draw without it", path.display()
    )]
    Strange { path: PathBuf, what: Words },
    #[error("cannot draw {}: {what}; run the experiment again with --fresh", path.display())]
    Unfit { path: PathBuf, what: Words },
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
    Draw(Words),
}

impl FigureError {
    fn draw(error: impl std::fmt::Display) -> Self {
        Self::Draw(Foreign::said(error).into())
    }
}

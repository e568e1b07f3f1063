//! What a paper takes from finished runs: their numbers as tables, and what to cite.
//!
//! Reads CSVs and the manifests of run folders, loads no model and computes no statistic that a run has. Names from files of
//! others are escaped for where they go: LaTeX, Markdown, CSV or BibTeX.

mod bib;
mod cite;
mod differences;
mod entry;
mod escape;
mod head;
mod latex;
mod markdown;
mod run;
mod scores;
mod separation;
mod table;
mod tidy;

use std::path::PathBuf;

use foreign::{Foreign, Words};
use thiserror::Error;

use crate::statistics::StatsError;
use crate::tables::TableError;
use crate::tables::manifest::ManifestError;

pub use cite::{Cited, cite};
pub use table::{Format, Made, What, table};

/// Why a table or a list of references cannot be made.
#[derive(Debug, Error)]
pub enum PaperError {
    #[error("{} is no run folder: it has neither a manifest.json nor results; give the folder that `harness run` printed", path.display())]
    NoRun { path: PathBuf },
    #[error("{} holds no finished run: it has no manifest.json; run the same experiment again, it goes on where it stopped", path.display())]
    Unfinished { path: PathBuf },
    #[error("{} has no {what} for a table; {has}", path.display())]
    Lacks {
        path: PathBuf,
        what: &'static str,
        /// What can be had instead.
        has: Words,
    },
    #[error("{} has no arm '{arm}' to compare with{help}", path.display())]
    Baseline {
        path: PathBuf,
        arm: Foreign,
        help: Words,
    },
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("cannot summarise {}: {source}", path.display())]
    Stats { path: PathBuf, source: StatsError },
    #[error("the table cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// What is foreign in them is [`Foreign`] already.
impl foreign::Safe for PaperError {}

impl PaperError {
    /// Whether another command line would do: another run, another table, another arm.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Lacks { .. } | Self::Baseline { .. })
    }
}

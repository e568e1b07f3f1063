//! `report.html`: a run, or several side by side, as one page that a person reads and listens to.
//!
//! The page holds everything but the sounds: style, script, font, figures. It asks nothing of any machine (a Content Security
//! Policy forbids it), and the same CSVs, figures and manifest give the same bytes: no times, threads or folders of the machine
//! are in it. Reads what a run folder has; loads no model.

mod along;
mod colours;
mod departures;
mod document;
mod downloads;
mod figures;
mod html;
mod inline_svg;
mod items;
mod load;
mod map;
pub(crate) mod number;
mod pieces;
mod place;
mod provenance;
mod several;
mod sources;
#[cfg(test)]
mod tests;
mod texts;
mod waveform;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use foreign::Foreign;
use load::Run;
use serde_json::Value;
use thiserror::Error;

use crate::notebook::NotebookError;
use crate::tables::TableError;
use crate::tables::manifest::ManifestError;

/// The page's name in a run folder.
pub const REPORT: &str = "report.html";

/// Why a page could not be written.
#[derive(Debug, Error)]
pub enum ReportError {
    #[error("{} is no run folder: it has neither a manifest.json nor a scores.csv; give the folder that `harness run` printed", path.display())]
    NoRun { path: PathBuf },
    #[error(transparent)]
    Report(#[from] TableError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Notebook(#[from] NotebookError),
    #[error("cannot read {}: {}; run the experiment again with --fresh", path.display(), Foreign::said(source))]
    Texts { path: PathBuf, source: csv::Error },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot bring a piece to {}: {source}; free some space or give the folder write permission, and run `harness report` again", path.display())]
    Audio { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "{} and {} have no folder in common that a page could link from; put the runs on one disk",
        a.display(), b.display()
    )]
    Apart { a: PathBuf, b: PathBuf },
}

/// Write `run_dir/report.html` from the CSVs and figures there; gives its path. The manifest is given, since a run writes its
/// file last.
///
/// Pieces that lie elsewhere are brought into `run_dir/audio/`.
///
/// # Errors
/// When a CSV cannot be read or a file not be written. A piece whose sound is missing is a row without a player.
pub fn write(run_dir: &Path, manifest: &Value) -> Result<PathBuf, ReportError> {
    let run = Run::read(run_dir, manifest)?;
    save(&in_run_folder(run_dir.join(REPORT))?, &[run])
}

/// One page for the runs in `run_dirs`, with the manifests that they hold: at `out`, or as [`REPORT`] in the run folder, of several
/// in the deepest folder that holds all of them.
///
/// # Errors
/// As [`write`], and when the folders have no common one.
pub fn write_for(run_dirs: &[PathBuf], out: Option<&Path>) -> Result<PathBuf, ReportError> {
    let mut runs = Vec::new();
    for folder in place::distinct(run_dirs) {
        runs.push(Run::read(&folder, &load::manifest(&folder)?)?);
    }
    let page = match out {
        Some(out) => out.to_owned(),
        None => in_run_folder(place::common(&runs)?.join(REPORT))?,
    };
    place::name_and_link(&mut runs, &page)?;
    save(&page, &runs)
}

/// A page that nobody named: what stands in its place may be a stranger's.
fn in_run_folder(page: PathBuf) -> Result<PathBuf, ReportError> {
    files::in_its_folder(&page).map_err(|source| ReportError::Write { path: page, source })
}

fn save(page: &Path, runs: &[Run]) -> Result<PathBuf, ReportError> {
    let html = document::page(runs)?;
    files::write_bytes(page, html.as_bytes()).map_err(|source| ReportError::Write {
        path: page.to_owned(),
        source,
    })?;
    Ok(page.to_owned())
}

//! The figures of a run folder, from its CSVs alone.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::manifest::Manifest;
use super::run::Run;
use super::{
    FOLDER, FigureError, STEMS, clusters, histogram, maps, nearest, pdf, png, prompts, scores,
    similarity,
};

/// A figure, before it is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its files in `figures/` are `<stem>.svg` and `<stem>.png`, and on demand `<stem>.pdf`.
    pub stem: &'static str,
    /// What it shows, in one line.
    pub about: String,
    /// Self-contained: the font is inside.
    pub svg: String,
}

/// Draw every figure of `run_dir` into its folder `figures/`, as SVG and PNG; gives the paths written.
///
/// Reads `scores.csv`, which only runs of texts lack; `stats.csv`, or computes the same when it is missing; each of
/// `maps.csv`, `similarity.csv`, `clusters.csv`, `histogram.csv` and `nearest.csv` that is there; and a few optional keys
/// of `manifest.json` for titles and captions. Loads no model. The same CSVs give the same bytes. Figures that an earlier
/// run left, and that these CSVs do not have, are removed.
pub fn redraw(run_dir: &Path) -> Result<Vec<PathBuf>, FigureError> {
    save(run_dir, &Manifest::read(run_dir)?, false)
}

/// As [`redraw`], with each figure as PDF too.
pub fn redraw_with_pdf(run_dir: &Path) -> Result<Vec<PathBuf>, FigureError> {
    save(run_dir, &Manifest::read(run_dir)?, true)
}

/// As [`redraw`], with the `manifest.json` that the run is going to write: it comes after the figures, so that a folder
/// that has it is whole.
pub fn draw_first(
    run_dir: &Path,
    manifest: &serde_json::Value,
) -> Result<Vec<PathBuf>, FigureError> {
    save(run_dir, &Manifest::of(run_dir, manifest)?, false)
}

/// The figures of `run_dir` in the order of [`STEMS`], without writing any.
pub fn drawn(run_dir: &Path, manifest: &serde_json::Value) -> Result<Vec<Drawn>, FigureError> {
    draw(run_dir, &Manifest::of(run_dir, manifest)?)
}

fn save(run_dir: &Path, manifest: &Manifest, with_pdf: bool) -> Result<Vec<PathBuf>, FigureError> {
    let figures = draw(run_dir, manifest)?;
    let files = figures.par_iter().map(|figure| {
        let mut files = vec![
            (file_of(figure.stem, SVG), figure.svg.clone().into_bytes()),
            (file_of(figure.stem, PNG), png::of_svg(&figure.svg)?),
        ];
        let path = file_of(figure.stem, PDF);
        // One that is there must not go on showing other numbers.
        if with_pdf || run_dir.join(&path).exists() {
            files.push((path, pdf::of_svg(&figure.svg, &figure.about)?));
        }
        Ok(files)
    });
    let files: Vec<Result<Vec<_>, FigureError>> = files.collect();
    let files: Vec<Vec<(PathBuf, Vec<u8>)>> = files.into_iter().collect::<Result<_, _>>()?;
    let folder = run_dir.join(FOLDER);
    let failed = |path: &Path, source| FigureError::Write {
        path: path.to_owned(),
        source,
    };
    // Nothing is written or removed where a link leads to.
    let own = |name: PathBuf| {
        let path = run_dir.join(&name);
        files::inside(run_dir, name).map_err(|e| failed(&path, e))
    };
    own(FOLDER.into())?;
    fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
    let gone = STEMS.iter().map(|(stem, _)| *stem);
    let gone = gone.filter(|stem| figures.iter().all(|figure| figure.stem != *stem));
    let gone = gone.flat_map(|stem| [SVG, PNG, PDF].map(|extension| file_of(stem, extension)));
    for path in gone {
        let path = run_dir.join(path);
        files::remove_if_there(&path).map_err(|e| failed(&path, e))?;
    }
    let mut paths = Vec::new();
    for (path, bytes) in files.into_iter().flatten() {
        let path = own(path)?;
        files::write_bytes(&path, &bytes).map_err(|e| failed(&path, e))?;
        paths.push(path);
    }
    Ok(paths)
}

const SVG: &str = "svg";
const PNG: &str = "png";
const PDF: &str = "pdf";

/// From the run folder.
fn file_of(stem: &str, extension: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{stem}.{extension}"))
}

fn draw(run_dir: &Path, manifest: &Manifest) -> Result<Vec<Drawn>, FigureError> {
    type Draw = fn(&Run<'_>) -> Result<Vec<(&'static str, String)>, FigureError>;
    const ALL: [Draw; 7] = [
        scores::figures,
        histogram::figures,
        prompts::figures,
        maps::figures,
        clusters::figures,
        similarity::figures,
        nearest::figures,
    ];
    let run = Run::read(run_dir, manifest)?;
    let groups: Vec<_> = ALL.par_iter().map(|draw| draw(&run)).collect();
    // The first error in this order, whichever came first in time.
    let groups: Vec<_> = groups.into_iter().collect::<Result<_, _>>()?;
    let mut figures: Vec<Drawn> = groups
        .into_iter()
        .flatten()
        .map(|(stem, svg)| Drawn {
            stem,
            about: run.about(stem).to_string(),
            svg,
        })
        .collect();
    figures.sort_by_key(|figure| STEMS.iter().position(|(stem, _)| *stem == figure.stem));
    Ok(figures)
}

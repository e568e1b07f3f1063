//! The figures of a run folder, from its CSVs alone.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::manifest::Manifest;
use super::run::Run;
use super::{
    FOLDER, FigureError, STEMS, clusters, histogram, maps, nearest, png, prompts, scores,
    similarity,
};

/// A figure, before it is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its files in `figures/` are `<stem>.svg` and `<stem>.png`.
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
    save(run_dir, &Manifest::read(run_dir)?)
}

/// As [`redraw`], with the `manifest.json` that the run is going to write: it comes after the figures, so that a folder
/// that has it is whole.
pub fn draw_first(
    run_dir: &Path,
    manifest: &serde_json::Value,
) -> Result<Vec<PathBuf>, FigureError> {
    save(run_dir, &Manifest::of(run_dir, manifest)?)
}

/// The figures of `run_dir` in the order of [`STEMS`], without writing any.
pub fn drawn(run_dir: &Path, manifest: &serde_json::Value) -> Result<Vec<Drawn>, FigureError> {
    draw(run_dir, &Manifest::of(run_dir, manifest)?)
}

fn save(run_dir: &Path, manifest: &Manifest) -> Result<Vec<PathBuf>, FigureError> {
    let figures = draw(run_dir, manifest)?;
    let pngs: Vec<_> = figures
        .par_iter()
        .map(|figure| png::of_svg(&figure.svg))
        .collect();
    let pngs: Vec<Vec<u8>> = pngs.into_iter().collect::<Result<_, _>>()?;
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
    for path in gone.flat_map(files_of) {
        let path = run_dir.join(path);
        files::remove_if_there(&path).map_err(|e| failed(&path, e))?;
    }
    let mut paths = Vec::new();
    for (figure, png) in figures.iter().zip(&pngs) {
        let [svg_path, png_path] = files_of(figure.stem);
        for (path, bytes) in [(svg_path, figure.svg.as_bytes()), (png_path, png)] {
            let path = own(path)?;
            files::write_bytes(&path, bytes).map_err(|e| failed(&path, e))?;
            paths.push(path);
        }
    }
    Ok(paths)
}

/// From the run folder.
fn files_of(stem: &str) -> [PathBuf; 2] {
    ["svg", "png"].map(|extension| Path::new(FOLDER).join(format!("{stem}.{extension}")))
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

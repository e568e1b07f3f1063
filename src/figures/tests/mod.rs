//! Whole run folders with made-up numbers, drawn.

mod gallery;
mod made_up;
mod shapes;
mod strange;

use std::fs;
use std::path::Path;

use super::redraw;

/// The figures of a folder: stem and SVG.
fn svgs(folder: &Path) -> Vec<(String, String)> {
    let paths = redraw(folder).unwrap();
    let svgs = paths.iter().filter(|path| path.extension().unwrap() == "svg");
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

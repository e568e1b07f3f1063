//! Files that only some runs have, and arrays.

use std::path::Path;

use anyhow::{Context, Result};
use ndarray::Array2;

use crate::labels::Word;
use crate::tables::{self, Row};

/// An array that other tools read.
pub fn write_npy_file(path: &Path, array: &Array2<f32>) -> Result<()> {
    tables::write_npy(path, array).with_context(|| format!("cannot write {}", path.display()))
}

/// A file that only some runs have, with `word` for labels.
pub fn write_or_remove<T: Row>(path: &Path, rows: &[T], word: &Word) -> Result<()> {
    match rows.is_empty() {
        false => Ok(tables::write(path, rows, word)?),
        true => remove_if_there(path),
    }
}

/// Remove what an earlier run of the folder has left.
pub fn remove_if_there(path: &Path) -> Result<()> {
    files::remove_if_there(path).with_context(|| format!("cannot remove {}", path.display()))
}

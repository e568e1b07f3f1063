//! The kinds of experiments: one folder each, with its keys, their checks, what `harness check` says of it, and its results.
//!
//! A new one is a folder here and a line in [`KINDS`].

mod clap_scores;
mod clusters;
mod compare;
mod generate;
mod keys;
mod texts;

use std::path::Path;

use strict_yaml::Document;

use crate::experiment::{Draft, Kind, Overrides};
use crate::spec::SpecError;

/// Every kind, in the order in which errors list them.
const KINDS: &[Kind] = &[
    clap_scores::KIND,
    generate::KIND,
    clusters::KIND,
    compare::KIND,
    texts::KIND,
];

/// Read and override an experiment and check its settings. Relative paths are taken from the working folder, in the file
/// as in `--set`. Its pieces are not looked for yet: see [`Draft::resolve`].
pub fn open(path: &Path, overrides: &Overrides) -> Result<Draft, SpecError> {
    draft(Document::open(path)?, overrides)
}

/// The same of a document.
pub(crate) fn draft(document: Document, overrides: &Overrides) -> Result<Draft, SpecError> {
    Draft::new(document, overrides, KINDS)
}

#[cfg(test)]
mod tests;

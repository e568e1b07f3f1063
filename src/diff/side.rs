//! One of the two runs: what its folder holds.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::DiffError;
use crate::labels::{Labels, Word};
use crate::tables::manifest::{self, MANIFEST, ManifestError};
use crate::tables::{EMBEDDINGS_NPY, EmbeddingRow, Row, ScoreRow, StatsRow, TEXT_EMBEDDINGS_NPY};

/// A run folder. Files are named here, not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    pub folder: PathBuf,
    /// `None` for a folder that has no manifest: a run that is not finished, or CSVs alone.
    pub manifest: Option<Value>,
    pub experiment: Option<String>,
    pub task: Option<String>,
    /// What its labels are called.
    pub word: Word,
    /// Whether its numbers mean nothing.
    pub random_weights: bool,
    pub(super) has_scores: bool,
    /// An `embeddings.csv`.
    pub(super) has_embeddings: bool,
    /// One of the two `.npy` files beside it.
    pub(super) has_arrays: bool,
    pub(super) has_stats: bool,
}

impl Side {
    pub(super) fn open(folder: &Path) -> Result<Self, DiffError> {
        let no_run = |message: &'static str| DiffError::NoRun {
            path: folder.to_owned(),
            message: message.into(),
        };
        if !folder.exists() {
            return Err(no_run("there is no such folder"));
        }
        if !folder.is_dir() {
            return Err(no_run("it is a file"));
        }
        let manifest = manifest::read(folder)?;
        let has = |file: &str| folder.join(file).exists();
        let (has_scores, has_embeddings) = (has(ScoreRow::FILE), has(EmbeddingRow::FILE));
        if !has_scores && !has_embeddings {
            return Err(no_run("it has neither scores.csv nor embeddings.csv"));
        }
        let at = |pointer: &str| manifest.as_ref().and_then(|m| m.pointer(pointer));
        let text = |pointer: &str| at(pointer).and_then(Value::as_str).map(str::to_owned);
        let labels = match &manifest {
            Some(manifest) => {
                Labels::of_manifest(manifest).map_err(|source| ManifestError::Parse {
                    path: folder.join(MANIFEST),
                    source,
                })?
            }
            None => Labels::default(),
        };
        Ok(Self {
            word: labels.word,
            folder: folder.to_owned(),
            experiment: text("/experiment"),
            task: text("/settings/task"),
            random_weights: at("/random_weights").and_then(Value::as_bool) == Some(true),
            manifest,
            has_scores,
            has_embeddings,
            has_arrays: has(EMBEDDINGS_NPY) || has(TEXT_EMBEDDINGS_NPY),
            has_stats: has(StatsRow::FILE),
        })
    }

    /// Whether it says where its pieces and prompts lie.
    pub(super) fn embeds(&self) -> bool {
        self.has_embeddings || self.has_arrays
    }

    pub(super) fn at(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }
}

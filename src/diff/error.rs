//! Why two runs could not be compared.

use std::path::PathBuf;

use foreign::{Foreign, Safe, Words};
use thiserror::Error;

use crate::tables::manifest::ManifestError;
use crate::tables::{NpyError, TableError};

#[derive(Debug, Error)]
pub enum DiffError {
    #[error("{} is no run folder: {message}; name one, such as runs/weights", path.display())]
    NoRun { path: PathBuf, message: Words },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Csv(#[from] TableError),
    #[error(transparent)]
    Npy(#[from] NpyError),
    #[error(
        "cannot compare {file}: it has {rows} rows, and scores.csv beside it has {scores}; run the experiment again, or remove the file"
    )]
    OtherRows {
        file: String,
        rows: usize,
        scores: usize,
    },
    #[error("{file} has two rows of {key}: every row needs an id of its own")]
    Twice { file: String, key: Foreign },
    #[error("cannot compare {file}: the score of {key} is {score}, and a cosine is -1 to 1")]
    Score {
        file: String,
        key: Foreign,
        score: f64,
    },
    #[error("{message}")]
    NothingShared { message: Words },
}

impl Safe for DiffError {}

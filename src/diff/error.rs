//! Why two runs could not be compared.

use std::path::PathBuf;

use foreign::words;
use foreign::{Foreign, Safe, Words};
use thiserror::Error;

use super::side::Side;
use super::words::shown;
use crate::tables::manifest::ManifestError;
use crate::tables::{NpyError, TableError};

/// The most arms that a message lists.
const LISTED: usize = 6;

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

impl DiffError {
    /// `in_a` and `in_b`: the arms of their rows, as often as they come.
    pub(super) fn nothing_shared(a: &Side, b: &Side, in_a: Vec<String>, in_b: Vec<String>) -> Self {
        let message = words!(
            "the two runs share no row, and there is nothing to compare: {}; {}. Rows are matched by arm and id",
            described(a, in_a),
            described(b, in_b)
        );
        Self::NothingShared { message }
    }
}

/// `runs/weights is of experiment weights (task clap_scores) and has the arms x, y`.
fn described(side: &Side, mut arms: Vec<String>) -> Words {
    let from = match (&side.experiment, &side.task) {
        (Some(experiment), Some(task)) => words!(
            "is of experiment {} (task {})",
            shown(experiment),
            shown(task)
        ),
        (Some(experiment), None) => words!("is of experiment {}", shown(experiment)),
        _ => "has no manifest".into(),
    };
    let mut seen = std::collections::HashSet::new();
    arms.retain(|arm| seen.insert(arm.clone()));
    let list = Words::join(arms.iter().take(LISTED).map(|arm| shown(arm)), "; ");
    let rows = match arms.len() {
        0 if side.has_scores => "a scores.csv".into(),
        0 => "no scores.csv".into(),
        n if n > LISTED => words!("rows of {} and {} more", list, n - LISTED),
        _ => words!("rows of {}", list),
    };
    words!("{} {} and has {}", side.folder.display(), from, rows)
}

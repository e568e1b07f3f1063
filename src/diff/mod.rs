//! Two runs of one experiment, row by row: settings that differ, rows that moved and by how much. Reads run folders, prints
//! nothing.

mod arms;
mod distance;
mod embeddings;
mod error;
mod join;
mod means;
mod nothing_shared;
mod pieces;
mod rows;
pub mod settings;
mod side;
mod sources;
mod text;
mod words;

use std::path::Path;

pub use arms::{ArmChange, Ranking};
pub use embeddings::EmbeddingChange;
pub use error::DiffError;
pub use join::{Alone, Key};
pub use means::MeanChange;
pub use pieces::PiecesMade;
pub use rows::{Pair, Rows};
pub use settings::{Setting, Settings};
pub use side::Side;
pub use text::report;

use crate::labels::Word;
use crate::tables::DiffRow;
use nothing_shared::nothing_shared;

/// Everything that is told about two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    pub a: Side,
    pub b: Side,
    /// `None` when one of the runs has no manifest.
    pub settings: Option<Settings>,
    pub rows: Rows,
    /// Per arm, in the order of A; empty for runs that have no scores.
    pub arms: Vec<ArmChange>,
    /// Per arm, or per kind of text; empty when one of the runs has no embeddings.
    pub embeddings: Vec<EmbeddingChange>,
    /// When both runs made their pieces.
    pub made: Option<PiecesMade>,
    /// When both runs have a `stats.csv`.
    pub means: Option<MeanChange>,
}

/// What is beyond a tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved<'a> {
    /// Rows whose change is larger than the tolerance.
    pub rows: usize,
    /// The one that moved most.
    pub largest: Option<&'a Pair>,
    pub only_in_a: usize,
    pub only_in_b: usize,
}

/// Compare the runs in two folders. Both are read only.
///
/// Rows of `scores.csv` are matched by arm (or set of pieces under it) and id. Runs that have none are those that embed
/// texts: their rows of `embeddings.csv` are matched by kind and id.
///
/// Embeddings are those of `embeddings.csv`, whose rows say whose they are; of a run that has it no more, those of
/// `embeddings.npy` and `text_embeddings.npy`, which have the rows of `scores.csv`.
///
/// # Errors
/// When a folder holds no run, a file of it cannot be read, a newer program wrote it, or the two share no row.
pub fn compare(run_a: &Path, run_b: &Path) -> Result<Diff, DiffError> {
    let (a, b) = (Side::open(run_a)?, Side::open(run_b)?);
    let mut rows = match (a.has_scores, b.has_scores) {
        (true, true) => Rows::of_scores(&a, &b)?,
        (false, false) => Rows::of_texts(&a, &b)?,
        _ => return Err(nothing_shared(&a, &b, Vec::new(), Vec::new())),
    };
    if rows.pairs.is_empty() {
        let names = |keys: &[Key]| keys.iter().map(|key| key.condition.clone()).collect();
        let (in_a, in_b) = (names(&rows.alone.a), names(&rows.alone.b));
        return Err(nothing_shared(&a, &b, in_a, in_b));
    }
    if a.has_scores && a.embeds() && b.embeds() {
        rows.add_embeddings(&a, &b)?;
    }
    let manifests = a.manifest.as_ref().zip(b.manifest.as_ref());
    Ok(Diff {
        settings: manifests.map(|(a, b)| settings::compare(a, b)),
        arms: arms::of(&rows),
        embeddings: embeddings::of(&rows),
        made: manifests.and_then(|(a, b)| pieces::made(a, b)),
        means: means::of(&a, &b)?,
        rows,
        a,
        b,
    })
}

impl Diff {
    /// What has moved by more than `tolerance`, 0 or more.
    pub fn moved(&self, tolerance: f64) -> Moved<'_> {
        let beyond = |pair: &&Pair| pair.is_beyond(tolerance);
        let pairs = &self.rows.pairs;
        Moved {
            rows: pairs.iter().filter(beyond).count(),
            // The first of several.
            largest: pairs
                .iter()
                .rev()
                .filter(beyond)
                .max_by(|x, y| x.moved_by().total_cmp(&y.moved_by())),
            only_in_a: self.rows.alone.a.len(),
            only_in_b: self.rows.alone.b.len(),
        }
    }

    /// What labels are called: as in A, or `label` where the two runs differ in it.
    pub fn word(&self) -> Word {
        match self.a.word == self.b.word {
            true => self.a.word.clone(),
            false => Word::neutral(),
        }
    }

    /// Every row for a CSV: those of both runs in the order of A, then those that only one has.
    pub fn table(&self) -> Vec<DiffRow> {
        self.rows.table()
    }
}

impl Moved<'_> {
    /// Whether the two runs agree.
    pub fn is_nothing(&self) -> bool {
        self.rows == 0 && self.only_in_a == 0 && self.only_in_b == 0
    }
}

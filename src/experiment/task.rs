//! What one kind of experiment does that others do not.

use std::fmt::Debug;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::labels::Word;
use crate::results::{Computed, Results};
use crate::spec::{Audio, Generation, PieceSet};

/// A kind of experiment with its own settings.
///
/// The rest of the program knows what a task works on ([`Task::input`]) and never which task it is: that much it finds, makes
/// and embeds, and then asks for the results.
pub trait Task: TaskSettings + Debug + Send + Sync {
    /// As `task:` names it in an experiment file.
    fn name(&self) -> &'static str;

    /// The settings that change no result, or whose change shows in the pieces and texts that they select: paths as in
    /// `sets.*.audio`, `*` for every item of a list.
    fn not_counted(&self) -> &'static [&'static str];

    /// What a run has before a model hears or reads anything.
    fn input(&self) -> Input<'_>;

    /// What `harness check` says of what will be computed: a word and what stands beside it. `word` is what labels are called.
    fn plan(&self, _word: &Word) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Write the CSVs of a run whose embeddings are there.
    fn results(&self, run: &Computed<'_>) -> Result<Results>;
}

/// The settings that only a task has, by their names in the manifest: its fields.
pub trait TaskSettings {
    fn settings(&self) -> Result<Value, serde_json::Error>;
}

impl<T: Serialize> TaskSettings for T {
    fn settings(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }
}

/// What a task works on.
#[derive(Clone, Copy, Debug)]
pub enum Input<'t> {
    /// Pieces that are there, or that another run makes.
    Found(&'t Audio),
    /// Several sets of such pieces for the same items.
    Sets(&'t [PieceSet]),
    /// Pieces that the run makes.
    Made(&'t Generation),
    /// No pieces, but texts: captions, and queries beside them.
    Texts { queries: &'t [String] },
}

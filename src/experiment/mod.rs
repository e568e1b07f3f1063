//! Experiments: YAML text → checked settings with every default filled in → the same with its pieces.
//!
//! What every experiment has is here; what only some have belongs to their [`Task`], and which tasks there are `tasks` lists.
//! `draft.rs` finds the pieces, `identity.rs` is the hash that tells one set of settings from another.

mod draft;
mod identity;
mod pairs;
mod settings;
mod source;
mod task;

use std::sync::Arc;

use analysis::tsne::TsneSettings;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::labels::{Labels, Word};
use crate::spec::{Arm, HeardParts, Piece};

pub use draft::{Draft, Kind, RunPieces};
pub use identity::{Counted, Identity, Parts, identity_of};
pub use settings::{Drafted, Overrides};
pub(crate) use settings::{Head, Heard};
pub use source::Source;
pub use task::{Input, Task, TaskSettings};

/// A checked experiment: pieces and the arms that score them.
#[derive(Clone, Debug, Serialize)]
pub struct Experiment {
    /// Names the run folder: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The notebook that this experiment redoes.
    pub notebook: Option<String>,
    /// What it does, with the settings that only such experiments have.
    #[serde(flatten, serialize_with = "with_its_settings")]
    pub task: Arc<dyn Task>,
    pub seed: u64,
    pub crops: HeardParts,
    /// The experiment whose crops are drawn, when it is another one: that which made the pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crops_of: Option<String>,
    /// At least one; names are unique.
    pub arms: Vec<Arm>,
    /// What labels are called.
    #[serde(rename = "label", skip_serializing_if = "Word::is_default")]
    pub word: Word,
    /// In the order of every table and plot; empty when the pieces have no tastes.
    pub tastes: Vec<String>,
    /// How the maps are made.
    pub tsne: TsneSettings,
    /// At least one, after `limit`, but for an experiment of texts; ids are unique within a set. Paths of pieces that are found were files when the experiment was
    /// read; those of pieces to be made are relative to the run folder. Who writes the settings down writes them beside.
    #[serde(skip)]
    pub pieces: Vec<Piece>,
    /// Only the first so many pieces.
    pub limit: Option<usize>,
}

impl Experiment {
    /// What labels are called, and their order.
    pub fn labels(&self) -> Labels {
        Labels {
            word: self.word.clone(),
            order: self.tastes.clone(),
        }
    }
}

/// `task: name`, and the task's own settings beside it.
fn with_its_settings<S: Serializer>(
    task: &Arc<dyn Task>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Value::Object(settings) = task.settings().map_err(S::Error::custom)? else {
        return Err(S::Error::custom("settings have names"));
    };
    let mut all = serializer.serialize_map(Some(1 + settings.len()))?;
    all.serialize_entry("task", task.name())?;
    for (key, value) in &settings {
        all.serialize_entry(key, value)?;
    }
    all.end()
}

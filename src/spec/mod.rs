//! Experiments: YAML text → checked settings with every default filled in.
//!
//! `raw.rs` is the file as written, `tasks.rs` its settings checked, `draft.rs` finds the pieces, `identity.rs` is the hash that
//! tells one set of settings from another. Small files that experiments and commands read live here too: prompts, descriptions and crops. No audio is
//! decoded, nothing is fetched and no model is opened: a card is a name here.

mod audio;
mod captions;
mod checks;
mod compare;
pub mod crops;
mod descriptions;
mod draft;
mod generation;
mod identity;
mod natural;
mod pieces;
pub mod prompts;
mod raw;
mod source;
mod table;
mod tasks;
mod template;
mod tsne;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use analysis::tsne::TsneSettings;
pub use clap_audio::CropPolicy;
use files::text::TextError;
use foreign::Words;
use strict_yaml::{Document, YamlError};

pub use captions::{Captions, Text, texts_sha256};
pub use descriptions::MAX_BYTES as MAX_DESCRIPTIONS_BYTES;
pub use draft::{Draft, RunPieces};
pub use generation::{Download, Generation, Prompts};
pub use identity::{Identity, NOT_COUNTED, identity, identity_of};
pub use pieces::{audio_files, check_file_id, check_ids};

/// A checked experiment: pieces and the arms that score them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Experiment {
    /// Names the run folder: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The notebook that this experiment redoes.
    pub notebook: Option<String>,
    pub task: Task,
    pub seed: u64,
    pub crops: CropPolicy,
    /// The experiment whose crops are drawn, when it is another one: that which made the pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crops_of: Option<String>,
    /// At least one; names are unique.
    pub arms: Vec<Arm>,
    /// In the order of every table and plot; empty when the pieces have no tastes.
    pub tastes: Vec<String>,
    /// Where the pieces are found, for an experiment that makes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio>,
    /// How the pieces are made, for one that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The sets of pieces of an experiment that compares two: see [`Piece::set`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<PieceSet>,
    /// What the pieces of those sets are scored against, instead of their own prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What an experiment computes of clusters and distances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Clusters>,
    /// Of an experiment that embeds texts and no pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<Texts>,
    /// How the maps are made.
    pub tsne: TsneSettings,
    /// At least one, after `limit`, but for an experiment of texts; ids are unique within a set. Paths of pieces that are found were files when the experiment was
    /// read; those of pieces to be made are relative to the run folder.
    pub pieces: Vec<Piece>,
    /// Only the first so many pieces.
    pub limit: Option<usize>,
}

/// What an experiment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The cosine of each piece's audio embedding and its prompt's text embedding, per arm.
    ClapScores,
    /// Pieces from prompts, and the same scores of them.
    Generate,
    /// The same scores, and how well each arm's embeddings separate the tastes.
    Clusters,
    /// Two sets of pieces for the same items.
    Compare,
    /// Text embeddings of captions and descriptors.
    Texts,
}

/// One of several sets of pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PieceSet {
    pub name: String,
    pub audio: Audio,
}

/// What is computed of clusters and distances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clusters {
    /// Subsets that are looked at beside all pieces: the first so many of each taste.
    pub pieces_per_taste: Vec<usize>,
    /// Of each permutation test; at least 1.
    pub permutations: usize,
}

/// What an experiment of texts embeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Texts {
    pub captions: Captions,
    /// Texts whose nearest neighbours are listed, and how many of them.
    pub queries: Vec<String>,
    pub nearest: usize,
}

/// One way to score the same pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arm {
    pub name: String,
    /// A card's name, or the path of one.
    pub model: String,
}

/// Where the pieces of an experiment come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Audio {
    /// The pieces of a finished run: an experiment's name, or, with a `/` in it, a run folder.
    From(String),
    /// Every audio file of a folder, with a prompt made from its name.
    Files { folder: PathBuf, text: String },
    /// A CSV of path and prompt.
    Csv(PathBuf),
}

/// One audio file and the text that it is scored against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The file's stem unless the CSV gives one.
    pub id: String,
    pub path: PathBuf,
    pub prompt: String,
    pub taste: Option<String>,
    /// Of a generated piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The set that the piece belongs to, in an experiment that compares two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// What it was made from, when `prompt` is another text that it is scored against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_prompt: Option<String>,
}

impl Piece {
    /// Its name within the whole experiment; no id has a `/`.
    pub fn key(&self) -> Cow<'_, str> {
        match &self.set {
            Some(set) => Cow::Owned(format!("{set}/{}", self.id)),
            None => Cow::Borrowed(&self.id),
        }
    }
}

/// What a generated piece was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Pieces with one `prompt_id` are draws of one prompt.
    pub prompt_id: String,
    /// From 1.
    pub draw: usize,
    /// As the descriptions file says; `None` for a prompt that is made from a taste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Every taste that the prompt names, in its order: the first one dominates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tastes: Vec<String>,
}

/// What the command line changes in an experiment.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set path.to.key=value`, in the order given: the last one wins.
    pub set: Vec<String>,
    pub seed: Option<u64>,
    pub limit: Option<usize>,
    /// What `--demo` makes smaller.
    pub demo: Option<Shrink>,
}

/// What an experiment is cut down to where neither `--set` nor the file itself asks for less.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrink {
    /// Most draws of a prompt.
    pub draws: usize,
    /// Longest piece.
    pub duration_s: f64,
    /// Descriptions instead of those that would be fetched.
    pub descriptions: PathBuf,
    /// Captions instead of those that would be fetched.
    pub captions: PathBuf,
}

/// An experiment, or a file that it names, that is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error(transparent)]
    Text(#[from] TextError),
    /// A line of a CSV or of a prompts file, from 1.
    #[error("{}:{line}: {message}", path.display())]
    Line {
        path: PathBuf,
        line: u64,
        message: Words,
    },
    /// A CSV or a prompts file as a whole.
    #[error("cannot use {}: {message}", path.display())]
    File { path: PathBuf, message: Words },
    #[error("cannot list {}: {source}", path.display())]
    List { path: PathBuf, source: io::Error },
    /// An entry of a descriptions file, from 1.
    #[error("{}, item {item}: {message}", path.display())]
    Item {
        path: PathBuf,
        item: usize,
        message: Words,
    },
    #[error("{flag} {message}")]
    Flag { flag: &'static str, message: Words },
}

/// Read and override an experiment and check its settings. Relative paths are taken from the working folder, in the file
/// as in `--set`. Its pieces are not looked for yet: see [`Draft::resolve`].
pub fn open(path: &Path, overrides: &Overrides) -> Result<Draft, SpecError> {
    Draft::new(Document::open(path)?, overrides)
}

#[cfg(test)]
mod tests;

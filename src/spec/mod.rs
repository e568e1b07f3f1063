//! Experiments: YAML text → checked settings with every default filled in.
//!
//! `raw.rs` is the file as written, `resolve.rs` the checks, `identity.rs` the hash that tells one set of settings from
//! another. Two small files that the other commands read live here too: prompts and crops. No audio is decoded and no
//! model is opened: a card is a name here.

pub mod crops;
mod identity;
mod natural;
mod pieces;
pub mod prompts;
mod raw;
mod resolve;
mod table;
mod template;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::audio::CropPolicy;
use crate::textfile::TextError;
use crate::yaml::{Document, YamlError};

pub use identity::{Identity, NOT_COUNTED, identity, identity_of};
pub use pieces::{audio_files, check_ids};

/// A checked experiment: CLAP scores of the same pieces under several arms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Experiment {
    /// Names the run folder: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The notebook that this experiment redoes.
    pub notebook: Option<String>,
    pub task: Task,
    pub seed: u64,
    pub crops: CropPolicy,
    /// At least one; names are unique.
    pub arms: Vec<Arm>,
    /// In the order of every table and plot; empty when the pieces have no tastes.
    pub tastes: Vec<String>,
    /// Where the pieces were found.
    pub audio: Audio,
    /// At least one, after `limit`; ids are unique. Every path was a file when the experiment was read.
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
    /// Every audio file of a folder, with a prompt made from its name.
    Files { folder: PathBuf, text: String },
    /// A CSV of path and prompt.
    Csv(PathBuf),
}

/// One audio file and the text that it is scored against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The file's stem unless the CSV gives one.
    pub id: String,
    pub path: PathBuf,
    pub prompt: String,
    pub taste: Option<String>,
}

/// What the command line changes in an experiment.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set path.to.key=value`, in the order given: the last one wins.
    pub set: Vec<String>,
    pub seed: Option<u64>,
    pub limit: Option<usize>,
    /// The folder to take the pieces from, whatever the file says: `--demo` brings its own.
    pub files: Option<PathBuf>,
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
        message: String,
    },
    /// A CSV or a prompts file as a whole.
    #[error("cannot use {}: {message}", path.display())]
    File { path: PathBuf, message: String },
    #[error("cannot list {}: {source}", path.display())]
    List { path: PathBuf, source: io::Error },
    #[error("{flag} {message}")]
    Flag { flag: &'static str, message: String },
}

/// Read, override and check an experiment. Relative paths are taken from the working folder, in the file as in `--set`.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Experiment, SpecError> {
    resolve::resolve(Document::open(path)?, overrides)
}

#[cfg(test)]
mod tests;

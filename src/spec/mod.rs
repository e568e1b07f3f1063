//! What the files of an experiment are made of: pieces, prompts, descriptions, captions, arms, crops, as written and then checked.
//!
//! No audio is decoded, nothing is fetched and no model is opened: a card is a name here. Which of these a kind of experiment
//! has, its room in `tasks` says.

pub(crate) mod audio;
pub(crate) mod captions;
pub(crate) mod checks;
pub(crate) mod clusters;
pub mod crops;
pub(crate) mod descriptions;
pub(crate) mod generation;
mod heard;
pub(crate) mod label;
mod natural;
pub(crate) mod pieces;
pub mod prompts;
mod table;
pub(crate) mod template;
pub(crate) mod tsne;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use files::text::TextError;
use foreign::Words;
pub use heard::HeardParts;
use strict_yaml::YamlError;

pub use captions::{Captions, Text, texts_sha256};
pub use clusters::Clusters;
pub use generation::{Download, Generation, Prompts};
pub use pieces::{audio_files, check_file_id, check_ids};

/// One of several sets of pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PieceSet {
    pub name: String,
    pub audio: Audio,
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

impl SpecError {
    /// Of a line, from 1.
    fn line(path: &Path, line: u64, message: impl Into<Words>) -> Self {
        Self::Line {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

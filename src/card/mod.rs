//! Model cards: a YAML file that names a checkpoint, where it comes from and what it must be.
//!
//! `raw.rs` is the card as written, `resolve.rs` makes the checked [`Card`] of it; nothing here opens a checkpoint or
//! the network.

mod raw;
mod resolve;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use clap_audio::FusionShrink;
use foreign::words;
use foreign::{Foreign, Words, nearest};
use strict_yaml::{Document, YamlError};

use crate::builtin;

/// A checked model card.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card {
    /// The card's file name without `.yaml`: what people type.
    pub name: String,
    /// The card itself.
    pub path: PathBuf,
    pub kind: Kind,
    /// The weights.
    pub source: Source,
    /// A `tokenizer.json`.
    pub tokenizer: Source,
    /// What the card says about the architecture, to be checked against the tensors.
    pub architecture: Architecture,
    pub fusion_shrink: FusionShrink,
    /// SPDX identifier in lower case, as on the hub.
    pub licence: String,
    /// Numbers that the published weights are known to give.
    pub known: Vec<Known>,
    /// The weights are random: every number that comes from them means nothing.
    pub random_weights: bool,
    /// What to cite for the model: keys of `assets/references.bib`.
    pub cite: Vec<String>,
}

/// Which family of models a checkpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Clap,
    Musicgen,
}

/// As a card writes it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clap => "clap",
            Self::Musicgen => "musicgen",
        })
    }
}

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Hub(HubSource),
    Path(LocalSource),
}

/// Files of a hub repository at one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HubSource {
    /// `owner/name`, or `name` for the oldest repositories.
    pub repo: String,
    /// A commit, or a branch or tag that the hub resolves to one.
    pub revision: String,
    /// At least one; exactly one unless `folder`.
    pub files: Vec<HubFile>,
    /// The files belong together as one folder (`config.json` beside the weights).
    pub folder: bool,
}

impl HubSource {
    /// Whether the revision is a full commit id, which never moves.
    pub fn is_pinned(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

/// One file of a hub repository, with what the card demands of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HubFile {
    /// Path in the repository, with `/`; no part of it is `..`.
    pub name: String,
    /// 64 lower-case hex digits.
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

/// A file or folder of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocalSource {
    /// Made from the card's own folder when the card gives a relative path. It need not exist yet.
    pub path: PathBuf,
    /// 64 lower-case hex digits; of the file, so never with a folder.
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

/// What a card may say about the architecture; what it leaves out is read from the tensors alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    pub audio: Option<AudioTower>,
    /// Whether the audio tower has the fusion layers for long clips.
    pub fusion: Option<bool>,
}

/// The sizes of the HTSAT audio tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioTower {
    HtsatTiny,
    HtsatBase,
    HtsatLarge,
}

impl AudioTower {
    /// The name in a card.
    pub fn name(self) -> &'static str {
        match self {
            Self::HtsatTiny => "htsat-tiny",
            Self::HtsatBase => "htsat-base",
            Self::HtsatLarge => "htsat-large",
        }
    }
}

/// A known answer: the first components of the L2-normalised embedding of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Known {
    pub text: String,
    /// As printed by the reference; at least one number.
    pub begins: Vec<f64>,
}

/// A card that cannot be found, read or believed: exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// `help` names the nearest card and lists those in the folder.
    #[error("no card '{name}' in {}{help}", folder.display())]
    Unknown {
        name: Foreign,
        folder: PathBuf,
        help: Words,
    },
    #[error("card {card} is of kind {found}; name one of kind {wanted} here")]
    OtherKind {
        card: Foreign,
        found: Kind,
        wanted: Kind,
    },
    #[error("cannot list the cards in {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
}

impl Card {
    /// The hub's repository that the weights come from; `None` for those of this machine.
    pub fn repository(&self) -> Option<&str> {
        match &self.source {
            Source::Hub(hub) => Some(&hub.repo),
            Source::Path(_) => None,
        }
    }

    /// The card that a user means: a path when it ends in `.yaml` or `.yml` or has a folder in it, else a name in
    /// `models_dir` or of a built-in card.
    pub fn find(name_or_path: &str, models_dir: &Path) -> Result<Card, CardError> {
        let as_path = Path::new(name_or_path);
        if is_yaml(as_path) || as_path.components().count() > 1 {
            return Card::open(as_path);
        }
        let is_it = |path: &&PathBuf| card_name(path) == name_or_path;
        let own = card_files(models_dir)?;
        if let Some(path) = own.iter().find(is_it) {
            return Card::open(path);
        }
        let all = with_built_in(&own, models_dir)?;
        match all.iter().find(is_it) {
            Some(path) => Card::open(path),
            None => Err(unknown(name_or_path, models_dir, &own, &all)),
        }
    }

    /// As [`Card::find`], for what only a model of `kind` can do.
    pub fn find_kind(kind: Kind, name_or_path: &str, models_dir: &Path) -> Result<Card, CardError> {
        let card = Card::find(name_or_path, models_dir)?;
        if card.kind == kind {
            return Ok(card);
        }
        Err(CardError::OtherKind {
            card: Foreign::new(card.name),
            found: card.kind,
            wanted: kind,
        })
    }

    /// Every card of a folder and behind it, by name. A folder that does not exist has none.
    pub fn all(models_dir: &Path) -> Result<Vec<Card>, CardError> {
        with_built_in(&card_files(models_dir)?, models_dir)?
            .iter()
            .map(|path| Card::open(path))
            .collect()
    }

    /// Read and check one card.
    pub fn open(path: &Path) -> Result<Card, CardError> {
        Ok(resolve::resolve(&Document::open(path)?, path)?)
    }
}

/// The cards of the folder `models_dir`, which are its `own`, and the built-in ones that they do not shadow, sorted by name.
fn with_built_in(own: &[PathBuf], models_dir: &Path) -> Result<Vec<PathBuf>, CardError> {
    let mut cards = own.to_vec();
    if let Some(behind) = builtin::models_behind(models_dir) {
        let names: Vec<String> = own.iter().map(|path| card_name(path)).collect();
        let behind = card_files(&behind)?.into_iter();
        cards.extend(behind.filter(|path| !names.contains(&card_name(path))));
        cards.sort_by_key(|path| card_name(path));
    }
    Ok(cards)
}

/// The cards of a folder, sorted by name; hidden files are not cards.
fn card_files(models_dir: &Path) -> Result<Vec<PathBuf>, CardError> {
    let failed = |source| CardError::Folder {
        folder: models_dir.to_owned(),
        source,
    };
    let listing = match std::fs::read_dir(models_dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in listing {
        let path = entry.map_err(failed)?.path();
        if is_yaml(&path) && path.is_file() && !card_name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

fn card_name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The folder's own cards are listed, or where it has none the built-in ones.
fn unknown(name: &str, models_dir: &Path, own: &[PathBuf], all: &[PathBuf]) -> CardError {
    let names: Vec<String> = all.iter().map(|path| card_name(path)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let listed = || {
        let cards = if own.is_empty() { all } else { own };
        Words::join(cards.iter().map(|path| Foreign::new(card_name(path))), ", ")
    };
    let help = match (nearest(name, &names), names.is_empty()) {
        (_, true) => "; there are no cards in it: give the path of a card, or --models DIR".into(),
        (Some(near), _) => words!(
            "; did you mean '{}'? (cards there: {})",
            Foreign::new(near),
            listed()
        ),
        (None, _) => words!("; give the path of a card or one of these: {}", listed()),
    };
    CardError::Unknown {
        name: Foreign::new(name),
        folder: models_dir.to_owned(),
        help,
    }
}

#[cfg(test)]
mod tests;

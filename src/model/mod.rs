//! A card made real: its files on this machine, hashed, checked against the card, and exported.

mod prepare;

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::card::{Card, HubSource, Kind, LocalSource, Source};
use checkpoint::clap::{ClapWeights, Expected};
use checkpoint::musicgen::{MusicgenConfig, MusicgenWeights};
use checkpoint::{Checkpoint, CheckpointError};
use foreign::Foreign;
use hub::{self, HubError, HubFile, RepoKind};
use onnx_export::musicgen::CacheScales;
use onnx_export::{self, ExportError, Exported, ModelWeights, Target};
use process::progress;

pub use prepare::prepare;

/// Why a card's model is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("card {card}: {source}")]
    Hub { card: Foreign, source: HubError },
    #[error("card {card}: {source}")]
    Checkpoint {
        card: Foreign,
        source: CheckpointError,
    },
    #[error("card {card}: {source}")]
    Export { card: Foreign, source: ExportError },
    #[error(
        "card {card}: {} does not exist; correct the card's `path`, which is taken from the card's own folder",
        path.display()
    )]
    NoFile { card: Foreign, path: PathBuf },
    #[error(
        "card {card}: {} has the sha256 {found}, the card says {pinned}; it is another file, or damaged: fetch it \
         again, or correct the card",
        path.display()
    )]
    Hash {
        card: Foreign,
        path: PathBuf,
        found: Foreign,
        pinned: Foreign,
    },
    #[error(
        "card {card}: {} is not what it was when its hash was taken: it was changed or replaced without a sign; run the \
         same command again, which takes it as it is now",
        path.display()
    )]
    Changed { card: Foreign, path: PathBuf },
    #[error(
        "card {card}: {} has {found} bytes, the card says {stated}; it was cut off, or is another file",
        path.display()
    )]
    Size {
        card: Foreign,
        path: PathBuf,
        found: u64,
        stated: u64,
    },
}

impl ModelError {
    /// Says which card's checkpoint it was.
    fn checkpoint(card: &str) -> impl Fn(CheckpointError) -> Self + use<'_> {
        move |source| Self::Checkpoint {
            card: Foreign::new(card),
            source,
        }
    }
}

/// One file that a model is made of, as the manifest records it.
#[derive(Debug, Clone, Serialize)]
pub struct FileRecord {
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
    /// The commit of the hub, for files that came from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// A model that can be loaded.
#[derive(Debug, Clone)]
pub struct Ready {
    pub export: Exported,
    /// Tensors of the checkpoint that neither the model needs nor such checkpoints are known to carry.
    pub leftover: Vec<String>,
}

/// A card whose files are here.
#[derive(Debug)]
pub struct Model {
    pub card: Card,
    /// The checkpoint: a file or a folder.
    pub checkpoint: PathBuf,
    pub files: Vec<FileRecord>,
    /// The sha256 of the checkpoint's file, or of the list of hashes of a folder's.
    pub sha256: String,
    pub tokenizer: FileRecord,
}

impl Model {
    /// Find or fetch the files of `card` and compare them with what it pins.
    pub fn obtain(card: Card, offline: bool) -> Result<Self, ModelError> {
        let (checkpoint, files) = match &card.source {
            Source::Path(local) => {
                let files = local_files(&card.name, local)?;
                (local.path.clone(), files)
            }
            Source::Hub(source) => {
                let (checkpoint, mut files) = fetch(&card.name, source, offline)?;
                // What another tool has put beside a file of the hub is read with it, so it counts too.
                for path in files_of(&card.name, &checkpoint)? {
                    if !files.iter().any(|record| record.path == path) {
                        files.push(record(&card.name, &path)?);
                    }
                }
                (checkpoint, files)
            }
        };
        let (_, tokenizers) = match &card.tokenizer {
            Source::Path(local) => (local.path.clone(), vec![local_file(&card.name, local)?]),
            Source::Hub(source) => fetch(&card.name, source, offline)?,
        };
        let tokenizer = tokenizers
            .into_iter()
            .next()
            .ok_or_else(|| ModelError::NoFile {
                card: Foreign::new(&card.name),
                path: PathBuf::from("tokenizer.json"),
            })?;
        let sha256 = match files.as_slice() {
            [one] => one.sha256.clone(),
            many => {
                let hashes: Vec<&str> = many.iter().map(|f| f.sha256.as_str()).collect();
                files::sha256_bytes(hashes.join("\n").as_bytes())
            }
        };
        Ok(Self {
            card,
            checkpoint,
            files,
            sha256,
            tokenizer,
        })
    }

    /// Open the checkpoint; only its directory of tensors is read.
    pub fn open(&self) -> Result<Checkpoint, ModelError> {
        Checkpoint::open(&self.checkpoint).map_err(ModelError::checkpoint(&self.card.name))
    }

    /// Every tensor that the architecture needs, or an error that lists what is missing.
    pub fn weights<'c>(&self, checkpoint: &'c Checkpoint) -> Result<ModelWeights<'c>, ModelError> {
        weights(&self.card, checkpoint)
    }

    /// The configuration of a MusicGen model; no tensor is read.
    pub fn musicgen_config(&self) -> Result<MusicgenConfig, ModelError> {
        MusicgenConfig::read(&self.open()?).map_err(ModelError::checkpoint(&self.card.name))
    }

    /// The model's graphs under `<models>/graphs`, exported now if they are not there. The checkpoint is held against
    /// the card either way: another card may have exported it.
    /// `cache_scales` are asked for by some targets ([`prepare`] finds them).
    pub fn export(
        &self,
        models: &Path,
        target: Target,
        cache_scales: Option<&CacheScales>,
    ) -> Result<Ready, ModelError> {
        let checkpoint = self.open()?;
        let weights = self.weights(&checkpoint)?;
        let export = match self.exported(models, target) {
            Ok(Some(found)) => found,
            // A damaged one is made again.
            _ => {
                self.hash_in_full(&checkpoint)?;
                let graphs = graphs_folder(models);
                onnx_export::export(&graphs, &weights, &self.sha256, target, cache_scales)
                    .map_err(|source| self.export_error(source))?
            }
        };
        let leftover = weights.leftover().to_vec();
        Ok(Ready { export, leftover })
    }

    /// The graphs if they are there already.
    pub fn exported(&self, models: &Path, target: Target) -> Result<Option<Exported>, ModelError> {
        onnx_export::find(&graphs_folder(models), &self.sha256, target)
            .map_err(|source| self.export_error(source))
    }

    fn export_error(&self, source: ExportError) -> ModelError {
        ModelError::Export {
            card: Foreign::new(&self.card.name),
            source,
        }
    }

    /// The files that graphs are about to be made of are those whose hashes are known, whatever is remembered: graphs stay,
    /// and are found by the hash.
    fn hash_in_full(&self, checkpoint: &Checkpoint) -> Result<(), ModelError> {
        for path in checkpoint.files() {
            let real = plain(&path);
            let known = self.files.iter().find(|f| f.path == path || f.path == real);
            let (found, _) = hub::full_sha256(&path).map_err(|source| ModelError::Hub {
                card: Foreign::new(&self.card.name),
                source,
            })?;
            if known.is_none_or(|known| known.sha256 != found) {
                return Err(ModelError::Changed {
                    card: Foreign::new(&self.card.name),
                    path,
                });
            }
        }
        Ok(())
    }
}

/// Check what of a card's model is on this machine already, without a network: hashes, and whether every tensor that
/// the card's architecture needs is there. A checkpoint that has yet to be fetched is checked then; one that is here is
/// given back.
pub fn check_if_here(card: &Card) -> Result<Option<Checkpoint>, ModelError> {
    if let Source::Path(tokenizer) = &card.tokenizer {
        local_file(&card.name, tokenizer)?;
    }
    let checkpoint = match &card.source {
        Source::Path(local) => {
            local_files(&card.name, local)?;
            local.path.clone()
        }
        Source::Hub(source) => {
            let mut files = source.files.iter();
            let cached = files.all(|file| hub::cached(&hub_file(source, file)).is_some());
            if !(cached && source.is_pinned()) {
                return Ok(None);
            }
            fetch(&card.name, source, true)?.0
        }
    };
    let checkpoint = Checkpoint::open(&checkpoint).map_err(ModelError::checkpoint(&card.name))?;
    weights(card, &checkpoint)?;
    Ok(Some(checkpoint))
}

/// Every tensor that a model of the card's kind needs.
fn weights<'c>(card: &Card, checkpoint: &'c Checkpoint) -> Result<ModelWeights<'c>, ModelError> {
    match card.kind {
        Kind::Clap => ClapWeights::load(checkpoint, Some(&expected(card)))
            .map(|weights| ModelWeights::Clap(Box::new(weights))),
        Kind::Musicgen => MusicgenWeights::load(checkpoint)
            .map(|weights| ModelWeights::Musicgen(Box::new(weights))),
    }
    .map_err(ModelError::checkpoint(&card.name))
}

/// Name the tensors of a checkpoint that nothing uses, if there are any.
pub fn note_leftover(card: &str, leftover: &[String]) {
    if !leftover.is_empty() {
        let first: Vec<&str> = leftover.iter().take(5).map(String::as_str).collect();
        let more = if leftover.len() > first.len() {
            ", …"
        } else {
            ""
        };
        progress::note(format!(
            "{card}: {} tensors of the checkpoint are not used: {}{more}",
            leftover.len(),
            first.join(", ")
        ));
    }
}

/// The folder that cards and graphs are in, made if it is missing, without what killed exports left.
pub fn make_folder(models: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(models)
        .and_then(|()| files::sweep(&graphs_folder(models)))
        .with_context(|| format!("cannot make the models folder {}", models.display()))
}

/// Where the graphs of a models folder are.
pub fn graphs_folder(models: &Path) -> PathBuf {
    models.join("graphs")
}

/// What the card says of its tensors.
pub fn expected(card: &Card) -> Expected {
    Expected {
        audio: card.architecture.audio.map(|a| a.name().to_owned()),
        fusion: card.architecture.fusion,
    }
}

/// A file of the hub as a card names it.
pub fn hub_file(source: &HubSource, file: &crate::card::HubFile) -> HubFile {
    HubFile {
        repo: source.repo.clone(),
        kind: RepoKind::Model,
        file: file.name.clone(),
        revision: source.revision.clone(),
        sha256: file.sha256.clone(),
    }
}

/// All files of a hub source, and the path of its checkpoint.
fn fetch(
    card: &str,
    source: &HubSource,
    offline: bool,
) -> Result<(PathBuf, Vec<FileRecord>), ModelError> {
    let mut records = Vec::with_capacity(source.files.len());
    for file in &source.files {
        let fetched =
            hub::fetch(&hub_file(source, file), offline).map_err(|source| ModelError::Hub {
                card: Foreign::new(card),
                source,
            })?;
        check_size(card, &fetched.path, fetched.bytes, file.bytes)?;
        records.push(FileRecord {
            path: fetched.path,
            sha256: fetched.sha256,
            bytes: fetched.bytes,
            revision: Some(fetched.revision),
        });
    }
    let first = records.first().map(|r| r.path.clone()).unwrap_or_default();
    let checkpoint = match first.parent() {
        Some(folder) if source.folder => folder.to_owned(),
        _ => first,
    };
    Ok((checkpoint, records))
}

fn local_files(card: &str, local: &LocalSource) -> Result<Vec<FileRecord>, ModelError> {
    if !local.path.exists() {
        return Err(ModelError::NoFile {
            card: Foreign::new(card),
            path: local.path.clone(),
        });
    }
    let is_file = local.path.is_file();
    let mut records = Vec::new();
    if is_file {
        // Before it is opened: a wrong file is told by its hash.
        records.push(local_file(card, local)?);
    }
    for path in files_of(card, &local.path)? {
        if !(is_file && path == local.path) {
            records.push(record(card, &path)?);
        }
    }
    Ok(records)
}

/// The files that a checkpoint is read from: weights, and the `config.json` or index beside them.
fn files_of(card: &str, checkpoint: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let opened = Checkpoint::open(checkpoint).map_err(ModelError::checkpoint(card))?;
    Ok(opened.files())
}

/// A file that a card names, as it pins it.
fn local_file(card: &str, local: &LocalSource) -> Result<FileRecord, ModelError> {
    let found = record(card, &local.path)?;
    check_size(card, &local.path, found.bytes, local.bytes)?;
    match &local.sha256 {
        Some(pinned) if *pinned != found.sha256 => Err(ModelError::Hash {
            card: Foreign::new(card),
            path: local.path.clone(),
            found: Foreign::new(&found.sha256),
            pinned: Foreign::new(pinned),
        }),
        _ => Ok(found),
    }
}

/// A file of this machine with its hash.
fn record(card: &str, path: &Path) -> Result<FileRecord, ModelError> {
    if !path.is_file() {
        return Err(ModelError::NoFile {
            card: Foreign::new(card),
            path: path.to_owned(),
        });
    }
    let (sha256, bytes) = hub::remembered_sha256(path).map_err(|source| ModelError::Hub {
        card: Foreign::new(card),
        source,
    })?;
    Ok(FileRecord {
        path: plain(path),
        sha256,
        bytes,
        revision: None,
    })
}

/// The same path without `..`, which cards have many of.
fn plain(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn check_size(card: &str, path: &Path, found: u64, stated: Option<u64>) -> Result<(), ModelError> {
    match stated {
        Some(stated) if stated != found => Err(ModelError::Size {
            card: Foreign::new(card),
            path: path.to_owned(),
            found,
            stated,
        }),
        _ => Ok(()),
    }
}

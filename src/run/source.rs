//! The run that pieces come from: found by its experiment's name or given as a folder, read from its manifest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, anyhow, bail};
use foreign::words;
use foreign::{Foreign, Words};
use rayon::prelude::*;
use serde::Deserialize;

use super::RUNS;
use super::listed::{self, PiecesFile};
use crate::exit::UsageError;
use crate::experiment::RunPieces;
use crate::spec::{self, Piece, generation};
use crate::tables::manifest::{self, MANIFEST};

/// A finished run that made its pieces.
#[derive(Debug, Clone)]
pub struct SourceRun {
    pub folder: PathBuf,
    pub experiment: String,
    pub identity: String,
    /// Whether what was computed from its models means nothing.
    pub random_weights: bool,
    /// Where the experiment names it.
    key: String,
    demo: bool,
    seed: u64,
    limit: Option<usize>,
    pieces: Vec<Piece>,
    /// By piece id.
    hashes: HashMap<String, String>,
}

/// What is read of a manifest.
#[derive(Deserialize)]
struct Manifest {
    experiment: String,
    identity: String,
    seed: u64,
    #[serde(default)]
    demo: bool,
    #[serde(default)]
    random_weights: bool,
    settings: Settings,
    generation: Option<Generation>,
    pieces_file: Option<PiecesFile>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    pieces: Vec<Piece>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct Generation {
    #[serde(default)]
    pieces: Vec<Made>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    sha256: String,
}

impl SourceRun {
    /// The run in `folder`; `None` when it is not finished, or did not make its pieces.
    fn read(folder: &Path) -> Result<Option<Self>> {
        let Some(manifest) = manifest::read(folder)? else {
            return Ok(None);
        };
        let manifest: Manifest = serde_json::from_value(manifest).with_context(|| {
            format!(
                "cannot read {}; run that experiment again, or name another run folder",
                folder.join(MANIFEST).display()
            )
        })?;
        let Some(generation) = manifest.generation else {
            return Ok(None);
        };
        let hashes = generation
            .pieces
            .into_iter()
            .map(|made| (made.id, made.sha256));
        let mut hashes: HashMap<String, String> = hashes.collect();
        let mut pieces = manifest.settings.pieces;
        if let Some(file) = &manifest.pieces_file {
            listed::read(folder, file, |listed| {
                let made = listed
                    .sha256
                    .map(|sha256| (listed.piece.id.clone(), sha256));
                hashes.extend(made);
                pieces.push(listed.piece);
            })?;
        }
        Ok(Some(Self {
            folder: folder.to_owned(),
            experiment: manifest.experiment,
            identity: manifest.identity,
            random_weights: manifest.random_weights,
            key: "audio.from".to_owned(),
            demo: manifest.demo,
            seed: manifest.seed,
            limit: manifest.settings.limit,
            pieces,
            hashes,
        }))
    }

    /// The finished run in a folder that somebody named.
    ///
    /// `key` is where the experiment names it, as in `audio.from`.
    pub fn open(folder: &Path, key: &str) -> Result<Self> {
        let found = Self::read(folder)?.map(|run| Self {
            key: key.to_owned(),
            ..run
        });
        found.ok_or_else(|| {
            let folder = folder.display();
            UsageError(words!(
                "{} holds no finished run that made pieces: its {} is missing or tells of none; name the \
                 folder of one with {}, or an experiment, such as {}=gen_spanio_base",
                folder,
                MANIFEST,
                Foreign::new(key),
                Foreign::new(key)
            ))
            .into()
        })
    }

    /// The first `limit` pieces; with `check`, whose files are those that the run made.
    pub fn pieces(&self, limit: Option<usize>, check: bool) -> Result<RunPieces> {
        let mut pieces = self.pieces.clone();
        pieces.truncate(limit.unwrap_or(usize::MAX));
        for piece in &mut pieces {
            // Manifests come from strangers too: the id says what the file is called.
            let manifest = self.folder.join(MANIFEST);
            spec::check_file_id(&piece.id)
                .map_err(|message| anyhow!("cannot use {}: {message}", manifest.display()))?;
            if !generation::is_place(&piece.path, &piece.id) {
                bail!(
                    "cannot use {}: the piece {} of a run does not lie in {}",
                    manifest.display(),
                    Foreign::new(&piece.id),
                    Foreign::said(piece.path.display())
                );
            }
            piece.path = self.folder.join(&piece.path);
        }
        let wrong: Vec<&Piece> = pieces
            .par_iter()
            .filter(|piece| check && !self.is_there(piece))
            .collect();
        if let Some(first) = wrong.first() {
            bail!(
                "{} is missing or not the piece that the run made, and so are {} more of {}: run {} again with its \
                 settings, it makes only those, or name another run folder with {}",
                first.path.display(),
                wrong.len() - 1,
                pieces.len(),
                self.experiment,
                self.key,
            );
        }
        Ok(RunPieces {
            experiment: self.experiment.clone(),
            seed: self.seed,
            pieces,
        })
    }

    /// The files that it made, with their hashes, in the order of its pieces.
    pub fn made(&self) -> impl Iterator<Item = (PathBuf, &str)> {
        let pieces = self.pieces.iter();
        pieces.filter_map(|piece| {
            let sha256 = self.hashes.get(&piece.id)?;
            Some((self.folder.join(&piece.path), sha256.as_str()))
        })
    }

    fn is_there(&self, piece: &Piece) -> bool {
        let found = files::sha256_file(&piece.path).ok();
        found.is_some() && found.as_ref() == self.hashes.get(&piece.id)
    }

    /// Whether it has the first `limit` pieces of its experiment.
    fn has(&self, limit: Option<usize>) -> bool {
        match (self.limit, limit) {
            (Some(cut), Some(wanted)) => wanted <= cut || self.pieces.len() < cut,
            (Some(cut), None) => self.pieces.len() < cut,
            (None, _) => true,
        }
    }
}

/// A finished run, and others of the same experiment that were passed over for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRun {
    pub folder: PathBuf,
    pub others: Vec<PathBuf>,
}

/// The folder of the finished run of the experiment `name` in [`RUNS`], a demo or not, with the first `limit` pieces.
///
/// `runs/<name>` wins over the folders beside it, whatever its settings are; those that would do too are told.
///
/// # Errors
/// When there is none in `runs/<name>` and several beside it.
pub fn find(name: &str, limit: Option<usize>, demo: bool, key: &str) -> Result<Option<FoundRun>> {
    let plain = Path::new(RUNS).join(name);
    let fits = |folder: &Path| -> Result<bool> {
        let run = SourceRun::read(folder)?;
        Ok(run.is_some_and(|run| run.experiment == name && run.demo == demo && run.has(limit)))
    };
    let has_plain = fits(&plain)?;
    let mut found = Vec::new();
    for folder in beside(&plain)? {
        if fits(&folder)? {
            found.push(folder);
        }
    }
    let only = |folder: PathBuf, others| Ok(Some(FoundRun { folder, others }));
    if has_plain {
        return only(plain, found);
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => only(one.clone(), Vec::new()),
        several => Err(UsageError(words!(
            "there are {} finished runs of {}: {}; say which one with --set {}={}",
            several.len(),
            Foreign::new(name),
            Words::join(several.iter().map(|f| f.display()), ", "),
            Foreign::new(key),
            several[0].display()
        ))
        .into()),
    }
}

/// The folders that are called as `plain` with the 12 hex digits of an identity behind, in the order of their names.
fn beside(plain: &Path) -> Result<Vec<PathBuf>> {
    let (Some(runs), Some(name)) = (plain.parent(), plain.file_name()) else {
        return Ok(Vec::new());
    };
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(|| format!("cannot list {}", runs.display())),
    };
    let prefix = format!("{}-", name.to_string_lossy());
    let mut found = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", runs.display()))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digits = name.strip_prefix(&prefix).unwrap_or_default();
        if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

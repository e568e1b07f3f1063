//! What is known of pieces without reading them, so that a thousand tasks need not each decode every piece of a run: what
//! `harness prepare` has found, and what the manifest of the run that made them says.
//!
//! Nothing is believed for good: a process that hears a piece which it has not read checks its hash first.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, Result, bail};
use files::{State, cache};
use pipelines::clips::{self, ClipInfo};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::lines::{self, Lines};
use super::source::SourceRun;
use crate::spec::Piece;

/// Pieces by their paths.
#[derive(Default)]
pub(super) struct Looked {
    known: HashMap<PathBuf, Known>,
}

pub(super) struct Known {
    pub info: ClipInfo,
    /// Whether this process has read the file.
    pub read: bool,
}

/// A piece that was looked at.
#[derive(Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    state: State,
    sha256: String,
    /// Of its length in seconds: decimals might lose the last one.
    duration_bits: u64,
}

impl Looked {
    /// What was found when the run in the folder asked for was prepared. A file that has changed since is not known, unless
    /// `in_share`: with so many pieces the looks of a thousand tasks would be too many, and those that a task hears it checks.
    pub fn of(folder: &Path, in_share: bool) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        // Without it everything is looked at again.
        let read = memory(folder).and_then(|path| {
            Ok(Lines::read(&path, |entry| {
                entries.push(entry);
                true
            })?)
        });
        if read.is_err() {
            return Self::default();
        }
        let is_still = |entry: &Entry| {
            in_share || fs::metadata(&entry.path).is_ok_and(|meta| entry.state.is_still(&meta))
        };
        let known = entries.into_par_iter().filter(is_still).map(|entry| {
            let info = ClipInfo {
                duration_s: f64::from_bits(entry.duration_bits),
                sha256: entry.sha256,
                // It was when it was looked at.
                told: None,
            };
            (entry.path, Known { info, read: false })
        });
        Self {
            known: known.collect(),
        }
    }

    /// The pieces of a run too, all of which are as long as the first one. `checked` says whether their files were.
    pub fn add_run(&mut self, source: &SourceRun, checked: bool) {
        let Some((first, _)) = source.made().next() else {
            return;
        };
        let Some(Ok(info)) = clips::survey(&[&first]).pop() else {
            // It is looked at with the others, and told.
            return;
        };
        for (path, sha256) in source.made() {
            let info = ClipInfo {
                sha256: sha256.to_owned(),
                ..info.clone()
            };
            let known = Known {
                info,
                read: checked,
            };
            self.known.insert(absolute(&path).unwrap_or(path), known);
        }
    }

    pub fn get(&self, path: &Path) -> Option<&Known> {
        self.known.get(&absolute(path).ok()?)
    }
}

/// Keep what was found of the pieces of the run in `folder` for the tasks that compute its shares.
pub(super) fn keep(folder: &Path, pieces: &[Piece], infos: &[ClipInfo]) -> Result<()> {
    if infos.is_empty() {
        return Ok(());
    }
    let path = memory(folder)?;
    let entries = pieces.par_iter().zip(infos);
    let entries = entries.filter_map(|(piece, info)| {
        let path = absolute(&piece.path).ok()?;
        let state = State::of(&fs::metadata(&path).ok()?);
        state.is_settled().then(|| Entry {
            path,
            state,
            sha256: info.sha256.clone(),
            duration_bits: info.duration_s.to_bits(),
        })
    });
    let entries: Vec<Entry> = entries.collect();
    let cannot = || {
        format!(
            "cannot write {}; set HARNESS_CACHE to a folder that can be written",
            path.display()
        )
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    lines::write(&path, entries).with_context(cannot)
}

/// Of the run in `folder`, in the cache.
fn memory(folder: &Path) -> Result<PathBuf> {
    let folder = absolute(folder)?;
    let name = files::sha256_bytes(folder.as_os_str().as_encoded_bytes());
    Ok(cache::folder()?
        .join("pieces")
        .join(format!("{}.jsonl", &name[..16])))
}

/// That each file is the one that is known.
pub(super) fn check<'p>(
    pieces: impl ParallelIterator<Item = (&'p Piece, &'p ClipInfo)>,
) -> Result<()> {
    let is_other = |(piece, info): &(&Piece, &ClipInfo)| {
        let found = files::sha256_file(&piece.path);
        !found.is_ok_and(|found| found == info.sha256)
    };
    match pieces.find_any(is_other) {
        None => Ok(()),
        Some((piece, _)) => bail!(
            "{} is not what it was when the run was prepared; make it that again, or prepare the run anew: harness prepare",
            piece.path.display()
        ),
    }
}

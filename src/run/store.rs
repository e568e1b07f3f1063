//! The run folder: one set of settings, one process at a time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use process::progress::note;

use super::AUDIO;
use super::folder::{Held, cannot_use, hold, would_claim};
use super::journal::{Entry, Journal, Read};
use super::listed::PIECES;
use super::plan::Plan;
use super::shards::{self, SHARDS, Taken};
use crate::experiment::Identity;
use crate::figures::FOLDER as FIGURES;
use crate::notebook::NOTEBOOK;
use crate::report;
use crate::spec::Piece;
use crate::tables::manifest::MANIFEST;
use crate::tables::{
    ClusterRow, DistanceRow, DrawsRow, EMBEDDINGS_NPY, EmbeddingRow, HistogramRow, MapRow,
    NearestRow, PromptRow, Row, SAMPLE, ScoreRow, SimilarityRow, SkippedRow, StatsRow,
    TEXT_EMBEDDINGS_NPY, TsneRow,
};

/// Files that are never written over unless the identity beside them says that they are this run's.
const RESULTS: [&str; 20] = [
    ScoreRow::FILE,
    PIECES,
    SAMPLE,
    PromptRow::FILE,
    EmbeddingRow::FILE,
    EMBEDDINGS_NPY,
    TEXT_EMBEDDINGS_NPY,
    StatsRow::FILE,
    DrawsRow::FILE,
    SkippedRow::FILE,
    MapRow::FILE,
    ClusterRow::FILE,
    SimilarityRow::FILE,
    DistanceRow::FILE,
    TsneRow::FILE,
    NearestRow::FILE,
    HistogramRow::FILE,
    report::REPORT,
    NOTEBOOK,
    MANIFEST,
];

/// Where a process writes what it finishes: the run folder, which it holds until it drops the store, or the folder of its
/// attempt at a share.
pub(super) struct Store {
    pub folder: PathBuf,
    pub journal: Journal,
    /// Pieces that another process made, by their ids, and the folders where they are.
    elsewhere: HashMap<String, PathBuf>,
    /// The attempts at shares of which something was taken, in the order in which it was.
    pub shares: Vec<Taken>,
    _held: Option<Held>,
}

impl Store {
    /// Open `wanted`, or the folder beside it with the identity in its name when `wanted` belongs to other settings.
    pub fn open(wanted: &Path, identity: &Identity, fresh: bool) -> Result<Self> {
        let open = |folder: &Path| Self::try_open(folder, identity, fresh);
        wanted_or_beside(wanted, identity, open)
    }

    /// `None` when the folder belongs to other settings, or holds results that do not say whose they are.
    fn try_open(folder: &Path, identity: &Identity, fresh: bool) -> Result<Option<Self>> {
        let Some(held) = hold(folder, identity, |f| has_results(f, identity))? else {
            return Ok(None);
        };
        // Before anything is computed, and whoever made the folder: nothing that is written goes elsewhere.
        for name in RESULTS.into_iter().chain([AUDIO, FIGURES, SHARDS]) {
            files::inside(folder, name).with_context(|| cannot_use(folder))?;
        }
        remove_parts(folder).with_context(|| cannot_use(folder))?;
        if fresh {
            // From here on the folder holds no finished run, whenever this one ends.
            files::remove_if_there(&folder.join(MANIFEST)).with_context(|| cannot_use(folder))?;
        }
        let journal = Journal::open(folder, fresh).with_context(|| cannot_use(folder))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            journal,
            elsewhere: HashMap::new(),
            shares: Vec::new(),
            _held: Some(held),
        }))
    }

    /// That of an attempt in its own `folder`, which knows what the run and the other attempts at the share have finished.
    pub fn of_attempt(folder: &Path, before: &[PathBuf]) -> Result<Self> {
        let mut store = Self {
            folder: folder.to_owned(),
            journal: Journal::open(folder, false).with_context(|| cannot_use(folder))?,
            elsewhere: HashMap::new(),
            shares: Vec::new(),
            _held: None,
        };
        for other in before {
            let elsewhere = &mut store.elsewhere;
            let read = Read::folder(other).with_context(|| cannot_use(other))?;
            store.journal.absorb(read, |_, line| {
                if let Entry::Piece { id, .. } = line {
                    elsewhere.insert(id.clone(), other.clone());
                }
                true
            });
        }
        Ok(store)
    }

    /// Where a piece's file is, or will be.
    pub fn file_of(&self, plan: &Plan, piece: &Piece) -> PathBuf {
        let folder = self.elsewhere.get(&piece.id).unwrap_or(&self.folder);
        plan.path_of(piece, folder)
    }

    /// Append lines to the journal.
    pub fn add(&mut self, entries: Vec<Entry>) -> Result<()> {
        for entry in &entries {
            if let Entry::Piece { id, .. } = entry {
                self.elsewhere.remove(id);
            }
        }
        self.journal.add(entries).with_context(|| {
            format!(
                "cannot write {}; what was finished is kept, and the same command goes on from there",
                self.journal.path().display()
            )
        })
    }
}

/// `wanted`, or the folder beside it with the identity in its name, whichever `open` takes first.
pub(super) fn wanted_or_beside<T>(
    wanted: &Path,
    identity: &Identity,
    open: impl Fn(&Path) -> Result<Option<T>>,
) -> Result<T> {
    if let Some(opened) = open(wanted)? {
        return Ok(opened);
    }
    let taken = |folder: &Path| {
        anyhow!(
            "{} holds a run with other settings; name an empty folder with --out",
            folder.display()
        )
    };
    // `.` and `..` have no name to put the identity behind.
    let mut name = wanted
        .file_name()
        .ok_or_else(|| taken(wanted))?
        .to_os_string();
    name.push(format!("-{}", identity.short()));
    let beside = wanted.with_file_name(name);
    note(format!(
        "{} holds a run with other settings; this one goes to {}",
        wanted.display(),
        beside.display()
    ));
    open(&beside)?.ok_or_else(|| taken(&beside))
}

/// The folder that a run of this identity has or will have, as [`wanted_or_beside`] chooses it; nothing is made or written.
pub(super) fn folder_of(wanted: &Path, identity: &Identity) -> Result<PathBuf> {
    wanted_or_beside(wanted, identity, |folder| {
        let ours = would_claim(folder, identity, |f| has_results(f, identity))?;
        Ok(ours.then(|| folder.to_owned()))
    })
}

/// Whether `folder` has results that are not this identity's.
pub(super) fn has_results(folder: &Path, identity: &Identity) -> bool {
    let exists = |name: &&str| folder.join(name).exists();
    let has_pieces = |audio: std::fs::ReadDir| audio.flatten().next().is_some();
    RESULTS.iter().any(exists)
        || folder.join(AUDIO).read_dir().is_ok_and(has_pieces)
        || shards::has_others(folder, identity)
}

/// Remove what a killed process was writing: in the folder, among the figures and the pieces, and in the folders of the
/// pieces' sets.
fn remove_parts(folder: &Path) -> std::io::Result<()> {
    let audio = folder.join(AUDIO);
    for folder in [folder, &folder.join(FIGURES), &audio] {
        files::sweep(folder)?;
    }
    if audio.is_dir() {
        for entry in std::fs::read_dir(audio)? {
            let entry = entry?;
            // Not what a link leads to.
            if entry.file_type()?.is_dir() {
                files::sweep(&entry.path())?;
            }
        }
    }
    Ok(())
}

//! The run folder: one set of settings, one process at a time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use process::progress::note;

use super::AUDIO;
use super::folder::{Held, JOURNAL, cannot_use, hold};
use super::journal::{Entry, Journal};
use crate::experiment::Identity;
use crate::figures::FOLDER as FIGURES;
use crate::notebook::NOTEBOOK;
use crate::report;
use crate::tables::manifest::MANIFEST;
use crate::tables::{
    ClusterRow, DistanceRow, DrawsRow, EMBEDDINGS_NPY, EmbeddingRow, HistogramRow, MapRow,
    NearestRow, Row, ScoreRow, SimilarityRow, SkippedRow, StatsRow, TEXT_EMBEDDINGS_NPY, TsneRow,
};

/// Files that are never written over unless the identity beside them says that they are this run's.
const RESULTS: [&str; 17] = [
    ScoreRow::FILE,
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

/// A run folder that this process holds until it drops the store.
pub(super) struct Store {
    pub folder: PathBuf,
    pub journal: Journal,
    _held: Held,
}

impl Store {
    /// Open `wanted`, or the folder beside it with the identity in its name when `wanted` belongs to other settings.
    pub fn open(wanted: &Path, identity: &Identity, fresh: bool) -> Result<Self> {
        if let Some(store) = Self::try_open(wanted, identity, fresh)? {
            return Ok(store);
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
        Self::try_open(&beside, identity, fresh)?.ok_or_else(|| taken(&beside))
    }

    /// `None` when the folder belongs to other settings, or holds results that do not say whose they are.
    fn try_open(folder: &Path, identity: &Identity, fresh: bool) -> Result<Option<Self>> {
        let has_results = |folder: &Path| {
            let exists = |name: &&str| folder.join(name).exists();
            let has_pieces = |audio: std::fs::ReadDir| audio.flatten().next().is_some();
            RESULTS.iter().any(exists) || folder.join(AUDIO).read_dir().is_ok_and(has_pieces)
        };
        let Some(held) = hold(folder, identity, has_results)? else {
            return Ok(None);
        };
        // Before anything is computed, and whoever made the folder: nothing that is written goes elsewhere.
        for name in RESULTS.into_iter().chain([AUDIO, FIGURES]) {
            files::inside(folder, name).with_context(|| cannot_use(folder))?;
        }
        remove_parts(folder).with_context(|| cannot_use(folder))?;
        if fresh {
            // From here on the folder holds no finished run, whenever this one ends.
            remove_if_there(&folder.join(MANIFEST)).with_context(|| cannot_use(folder))?;
        }
        let journal =
            Journal::open(&folder.join(JOURNAL), fresh).with_context(|| cannot_use(folder))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            journal,
            _held: held,
        }))
    }

    /// Append lines to the journal.
    pub fn add(&mut self, entries: Vec<Entry>) -> Result<()> {
        self.journal.add(entries).with_context(|| {
            format!(
                "cannot write {}; what was finished is kept, and the same command goes on from there",
                self.journal.path().display()
            )
        })
    }
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
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

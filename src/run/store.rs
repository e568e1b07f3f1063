//! The run folder: one set of settings, one process at a time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::folder::{Held, cannot_use, hold};
use super::journal::Journal;
use crate::progress::note;
use crate::report::{EmbeddingRow, Row, ScoreRow, SkippedRow, StatsRow};
use crate::spec::Identity;

const JOURNAL: &str = ".journal.jsonl";
/// Files that are never written over unless the identity beside them says that they are this run's.
const RESULTS: [&str; 5] = [
    ScoreRow::FILE,
    EmbeddingRow::FILE,
    StatsRow::FILE,
    SkippedRow::FILE,
    "manifest.json",
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
        let has_results = |folder: &Path| RESULTS.iter().any(|file| folder.join(file).exists());
        let Some(held) = hold(folder, identity, has_results)? else {
            return Ok(None);
        };
        let journal =
            Journal::open(&folder.join(JOURNAL), fresh).with_context(|| cannot_use(folder))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            journal,
            _held: held,
        }))
    }
}

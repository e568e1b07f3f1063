//! The run folder: one set of settings, one process at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::journal::{Entry, Journal};
use super::{AUDIO, FIGURES, MANIFEST};
use crate::files;
use crate::progress::note;
use crate::report::{DrawsRow, EmbeddingRow, Row, ScoreRow, SkippedRow, StatsRow};
use crate::spec::Identity;

/// Which settings the folder belongs to: their hash, alone in a file.
const IDENTITY: &str = ".identity";
const LOCK: &str = ".lock";
const JOURNAL: &str = ".journal.jsonl";
/// Files that are never written over unless the identity beside them says that they are this run's.
const RESULTS: [&str; 7] = [
    ScoreRow::FILE,
    EmbeddingRow::FILE,
    StatsRow::FILE,
    DrawsRow::FILE,
    SkippedRow::FILE,
    MANIFEST,
    AUDIO,
];

/// A run folder that this process holds until it drops the store.
pub(super) struct Store {
    pub folder: PathBuf,
    pub journal: Journal,
    _lock: File,
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
        let cannot = || {
            format!(
                "cannot use the run folder {}; choose another with --out",
                folder.display()
            )
        };
        fs::create_dir_all(folder).with_context(cannot)?;
        let lock = File::create(folder.join(LOCK)).with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another harness is at work in {}; wait for it, or choose another folder with --out",
                folder.display()
            ),
            Err(TryLockError::Error(e)) => return Err(e).with_context(cannot),
        }
        let path = folder.join(IDENTITY);
        match fs::read_to_string(&path) {
            Ok(found) if found.trim() == identity.full() => {}
            Ok(_) => return Ok(None),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                if RESULTS.iter().any(|file| folder.join(file).exists()) {
                    return Ok(None);
                }
                files::write_bytes(&path, format!("{}\n", identity.full()).as_bytes())
                    .with_context(cannot)?;
            }
            Err(e) => return Err(e).with_context(cannot),
        }
        for written in [folder.to_owned(), folder.join(AUDIO), folder.join(FIGURES)] {
            remove_parts(&written).with_context(cannot)?;
        }
        let journal = Journal::open(&folder.join(JOURNAL), fresh).with_context(cannot)?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            journal,
            _lock: lock,
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

/// Remove what a killed process was writing.
fn remove_parts(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        for part in files::parts(folder)? {
            fs::remove_file(part)?;
        }
    }
    Ok(())
}

//! A folder of results: one set of settings, one process at a time.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use files::{self, regular};
use foreign::words;

use super::vectors::VECTORS;
use crate::exit::UsageError;
use crate::experiment::Identity;

/// Which settings the folder belongs to: their hash, alone in a file.
const IDENTITY: &str = ".identity";
/// A hash and a line feed, with room.
const LARGEST_IDENTITY: u64 = 4096;
const LOCK: &str = ".lock";
/// What was finished in it, one JSON line each.
pub(super) const JOURNAL: &str = ".journal.jsonl";

/// A folder that this process holds until it drops this.
pub(super) struct Held {
    pub folder: PathBuf,
    _lock: File,
}

/// Hold `folder`, made if it is missing, for the settings of `identity`; `None` when it belongs to others, or has
/// results and does not say whose they are.
pub(super) fn hold(
    folder: &Path,
    identity: &Identity,
    has_results: impl FnOnce(&Path) -> bool,
) -> Result<Option<Held>> {
    let cannot = || cannot_use(folder);
    fs::create_dir_all(folder).with_context(cannot)?;
    for name in [IDENTITY, JOURNAL, VECTORS] {
        files::inside(folder, name).with_context(cannot)?;
    }
    let lock = files::lock_file(&folder.join(LOCK)).with_context(cannot)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!(
            "another harness is at work in {}; wait for it, or choose another folder with --out",
            folder.display()
        ),
        Err(TryLockError::Error(e)) => return Err(e).with_context(cannot),
    }
    let is_ours = claim(folder, identity, has_results)?;
    Ok(is_ours.then(|| Held {
        folder: folder.to_owned(),
        _lock: lock,
    }))
}

/// Whether `folder`, which is there, belongs to the settings of `identity`, or does from now on. Holds no lock: several
/// processes with one identity may ask at once.
pub(super) fn claim(
    folder: &Path,
    identity: &Identity,
    has_results: impl FnOnce(&Path) -> bool,
) -> Result<bool> {
    if !would_claim(folder, identity, has_results)? {
        return Ok(false);
    }
    let path = folder.join(IDENTITY);
    let text = format!("{}\n", identity.full());
    if regular::read_text(&path, LARGEST_IDENTITY).is_ok_and(|found| found == text) {
        return Ok(true);
    }
    files::write_bytes(&path, text.as_bytes()).with_context(|| cannot_use(folder))?;
    Ok(true)
}

/// The same, without a word written.
pub(super) fn would_claim(
    folder: &Path,
    identity: &Identity,
    has_results: impl FnOnce(&Path) -> bool,
) -> Result<bool> {
    let cannot = || cannot_use(folder);
    let own = |name: &str| files::inside(folder, name).with_context(cannot);
    let (identity_path, journal) = (own(IDENTITY)?, own(JOURNAL)?);
    match regular::read_text(&identity_path, LARGEST_IDENTITY) {
        Ok(found) if found.trim() == identity.full() => return Ok(true),
        // What is no identity is one of others.
        Err(e)
            if !matches!(
                e.kind(),
                ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::FileTooLarge
            ) =>
        {
            return Err(e).with_context(cannot);
        }
        _ => {}
    }
    // Of others, or of nobody: free for all as long as nothing was finished in it.
    Ok(!(has_results(folder) || has_lines(&journal)))
}

/// Whether something was finished; a journal that cannot be looked at counts as one that tells of something.
fn has_lines(journal: &Path) -> bool {
    match fs::metadata(journal) {
        Ok(metadata) => metadata.len() > 0,
        Err(e) => e.kind() != ErrorKind::NotFound,
    }
}

/// What stands before an error of the disk.
pub(super) fn cannot_use(folder: &Path) -> String {
    format!(
        "cannot use the folder {}; choose another with --out",
        folder.display()
    )
}

/// The folder, or the nearest one above it that exists, takes new files.
pub fn check_writable(folder: &Path) -> Result<()> {
    let absolute = std::path::absolute(folder)?;
    let existing = absolute
        .ancestors()
        .find(|a| a.exists())
        .unwrap_or(Path::new("/"));
    if !existing.is_dir() {
        return Err(UsageError(words!(
            "the folder for the results cannot be {}: {} is a file",
            folder.display(),
            existing.display()
        ))
        .into());
    }
    tempfile::tempfile_in(existing).with_context(|| cannot_use(folder))?;
    Ok(())
}

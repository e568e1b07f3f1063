//! The hub's cache on disk, as Python's `huggingface_hub` lays it out:
//! `models--owner--name/{blobs/<etag>, snapshots/<commit>/<file> -> blob, refs/<branch>}` and `.locks/` beside.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use files::{self, regular};
use hf_hub::{Cache, CacheRepo};
use process::progress;

use super::error::HubError;
use super::name::{HubFile, is_commit, is_sha256};

/// A commit takes 40 bytes.
const LARGEST_REF: u64 = 4096;

/// One file's places in the cache.
pub(super) struct Store<'a> {
    cache: PathBuf,
    repo: CacheRepo,
    file: &'a HubFile,
}

/// A file that is there; nothing is said about its content.
#[derive(Debug)]
pub(super) struct Found {
    /// In the snapshot.
    pub path: PathBuf,
    pub commit: String,
    /// The blob that the snapshot's link leads to.
    blob: Option<PathBuf>,
}

impl Found {
    /// The sha256 that the hub stated at the download: an LFS blob is named after it.
    pub fn stated_sha256(&self) -> Option<String> {
        let name = self.blob.as_ref()?.file_name()?.to_str()?;
        is_sha256(name).then(|| name.to_ascii_lowercase())
    }
}

impl<'a> Store<'a> {
    pub fn new(cache: PathBuf, file: &'a HubFile) -> Self {
        let repo = Cache::new(cache.clone()).repo(file.hf_repo());
        Store { cache, repo, file }
    }

    /// The file at the card's revision: a commit, or what a branch was when it was last asked for.
    pub fn find(&self) -> Option<Found> {
        if self.file.pinned_commit() {
            return self.at(&self.file.revision);
        }
        let refs = self.folder().join("refs").join(&self.file.revision);
        let commit = regular::read_text(&refs, LARGEST_REF).ok()?;
        let commit = commit.trim();
        is_commit(commit).then(|| self.at(commit))?
    }

    /// The file at a commit.
    pub fn at(&self, commit: &str) -> Option<Found> {
        let path = self.snapshot(commit);
        if !path.is_file() {
            return None;
        }
        let blobs = fs::canonicalize(self.folder().join("blobs")).ok();
        let real = fs::canonicalize(&path).ok();
        let blob = real.filter(|r| blobs.is_some() && r.parent() == blobs.as_deref());
        Some(Found {
            path,
            commit: commit.to_owned(),
            blob,
        })
    }

    fn snapshot(&self, commit: &str) -> PathBuf {
        self.repo.pointer_path(commit).join(&self.file.file)
    }

    fn folder(&self) -> PathBuf {
        self.cache.join(self.file.hf_repo().folder_name())
    }

    /// Where the bytes with this etag are.
    pub fn blob(&self, etag: &str) -> PathBuf {
        self.repo.blob_path(etag)
    }

    /// Wait until no other process fetches the same bytes. The lock ends with the returned file, or the process.
    ///
    /// Python's `huggingface_hub` locks the same file.
    pub fn lock(&self, etag: &str) -> Result<File, HubError> {
        let folder = self
            .cache
            .join(".locks")
            .join(self.file.hf_repo().folder_name());
        fs::create_dir_all(&folder).map_err(HubError::io("make", &folder))?;
        let path = folder.join(format!("{etag}.lock"));
        let file = files::lock_file(&path).map_err(HubError::io("make", &path))?;
        let mut waiting = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::Error(e)) => return Err(HubError::io("lock", &path)(e)),
                Err(fs::TryLockError::WouldBlock) if !waiting => {
                    waiting = true;
                    progress::note(format!(
                        "waiting for another process that downloads {}",
                        self.file
                    ));
                }
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Show the blob under the file's name in a commit's snapshot.
    pub fn link(&self, etag: &str, commit: &str) -> Result<Found, HubError> {
        let path = self.snapshot(commit);
        let parent = path.parent().unwrap_or(&self.cache).to_owned();
        fs::create_dir_all(&parent).map_err(HubError::io("make", &parent))?;
        if fs::symlink_metadata(&path).is_ok() && !path.exists() {
            // A link to a blob that is gone.
            fs::remove_file(&path).map_err(HubError::io("replace", &path))?;
        }
        // From snapshots/<commit>/<file>: a step up for each folder in the file's name, and two more.
        let up = "../".repeat(self.file.file.matches('/').count() + 2);
        let target = format!("{up}blobs/{etag}");
        match show(Path::new(&target), &self.blob(etag), &path) {
            // Another process was first.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(HubError::io("make", &path))?,
        }
        self.at(commit)
            .ok_or_else(|| HubError::io("find", &path)(io::Error::from(io::ErrorKind::NotFound)))
    }

    /// Note which commit a branch is at, for runs without a network. A commit needs no note.
    pub fn remember_branch(&self, commit: &str) -> Result<(), HubError> {
        if self.file.pinned_commit() {
            return Ok(());
        }
        let path = self.folder().join("refs").join(&self.file.revision);
        self.repo
            .create_ref(commit)
            .map_err(HubError::io("write", &path))
    }

    /// Remove a file and its blob from the cache.
    pub fn remove(&self, found: &Found) -> Result<(), HubError> {
        for path in [Some(&found.path), found.blob.as_ref()]
            .into_iter()
            .flatten()
        {
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(HubError::io("remove", path)(e));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn show(target: &Path, _blob: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Where links need a privilege, the file itself goes to the snapshot, as `huggingface_hub` does.
#[cfg(not(unix))]
fn show(_target: &Path, blob: &Path, path: &Path) -> io::Result<()> {
    fs::rename(blob, path)
}

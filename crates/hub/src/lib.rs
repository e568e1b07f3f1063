//! Fetches single files of hub repositories, each at its pinned revision, into the cache that all tools of the hub share.
//!
//! The layout of that cache, and how a file's address is made, come from the `hf-hub` crate; a file that Python's
//! `huggingface_hub` has downloaded is found, and the other way round. The transfer itself is our own (`ureq`), because
//! `hf-hub` 0.5 lacks what a 2.3 GB checkpoint over a poor line needs:
//!
//! - it compares no hash, neither the one that the hub states nor any other;
//! - it sends the token to the host that the hub redirects to (in `Api::metadata`);
//! - it appends a second copy when a retry begins before a byte has arrived, or when the server ignores `Range`;
//! - a partial file that is already whole ends in an HTTP error 416;
//! - it gives up after 5 seconds when another process downloads the same file, and has no time limit of its own;
//! - it uses commit and etag headers unchecked as names of files;
//! - it does not know `HF_HUB_CACHE`, and finds no file of a pinned commit that Python has downloaded.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod address;
mod checked;
mod client;
mod download;
mod error;
mod failure;
mod name;
mod pace;
mod remote;
mod settings;
mod store;
mod web;

use std::path::PathBuf;

pub use error::HubError;
pub use name::{HubFile, RepoKind};
pub use remote::RemoteInfo;
pub use settings::{Patience, Settings, Token};
pub use web::{WebError, fetch_pinned};

use checked::Checked;
use foreign::Foreign;
use process::progress;
use remote::Remote;
use store::Store;

/// A file that is here, whole, and of the stated hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// In the hub's cache.
    pub path: PathBuf,
    /// The commit that it belongs to.
    pub revision: String,
    /// Of its content, computed here, in lower-case hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// As [`Hub::fetch`], with the settings of the process.
pub fn fetch(file: &HubFile, offline: bool) -> Result<Fetched, HubError> {
    Hub::new(Settings::of_process()?).fetch(file, offline)
}

/// As [`Hub::cached`], with the settings of the process.
pub fn cached(file: &HubFile) -> Option<PathBuf> {
    let settings = Settings::of_process().ok()?;
    Hub::new(settings).cached(file)
}

/// As [`Hub::metadata`], with the settings of the process.
pub fn metadata(file: &HubFile) -> Result<RemoteInfo, HubError> {
    Hub::new(Settings::of_process()?).metadata(file)
}

/// The hub, as some settings say where and how.
#[derive(Debug)]
pub struct Hub {
    settings: Settings,
}

impl Hub {
    /// Starts nothing.
    pub fn new(settings: Settings) -> Self {
        Hub { settings }
    }

    /// The file's path if it is in the cache. Asks no network and checks no hash: [`fetch`](Self::fetch) does.
    pub fn cached(&self, file: &HubFile) -> Option<PathBuf> {
        file.check().ok()?;
        self.store(file).find().map(|found| found.path)
    }

    /// What the hub says of the file: for a plan.
    ///
    /// # Errors
    /// When the hub cannot be reached, or has no such file, or does not show it.
    pub fn metadata(&self, file: &HubFile) -> Result<RemoteInfo, HubError> {
        file.check()?;
        if self.settings.offline {
            return Err(HubError::Offline(Foreign::said(file)));
        }
        Ok(self.remote(file)?.stated()?.info)
    }

    /// The file, from the cache or the hub.
    ///
    /// A file of a pinned commit that is in the cache needs no network. Its hash is compared with what the hub stated
    /// when it was downloaded (the name of an LFS blob is its sha256) and with the card's pin. A download goes on where
    /// an earlier one was cut off or killed.
    ///
    /// # Errors
    /// Each of [`HubError`]. A file whose bytes are not what the hub stated is removed; so is one that only the card's
    /// pin speaks against. A file that is what the hub stated but not what the card pins stays: other tools use this
    /// cache, and no card with another pin ever gets it.
    pub fn fetch(&self, file: &HubFile, offline: bool) -> Result<Fetched, HubError> {
        file.check()?;
        let offline = offline || self.settings.offline;
        let store = self.store(file);
        let pinned = file.pinned_commit();
        if (pinned || offline)
            && let Some(found) = store.find()
        {
            match self.verified(file, &store, found) {
                Ok(fetched) => return Ok(fetched),
                // Removed: a new download may be whole.
                Err(error @ HubError::Damaged { .. }) if !offline => {
                    progress::note(format!("{error}: done now"));
                }
                Err(error) => return Err(error),
            }
        }
        if offline {
            return Err(HubError::Offline(Foreign::said(file)));
        }
        let remote = self.remote(file)?;
        let stated = remote.stated()?;
        if let (Some(pin), Some(hub)) = (file.pin(), &stated.info.sha256)
            && pin != *hub
        {
            // Known before the first byte is fetched.
            return Err(HubError::PinMismatch {
                file: Foreign::said(file),
                pinned: Foreign::new(&pin),
                found: Foreign::new(hub),
            });
        }
        let there = store.at(&stated.info.commit);
        let found = match there {
            Some(found) => found,
            None => {
                download::download(&remote, &store, file, &stated, &self.checked())?;
                store.link(&stated.etag, &stated.info.commit)?
            }
        };
        store.remember_branch(&stated.info.commit)?;
        self.verified(file, &store, found)
    }

    /// Compare a file of the cache with what is known about it.
    fn verified(
        &self,
        file: &HubFile,
        store: &Store,
        found: store::Found,
    ) -> Result<Fetched, HubError> {
        let (sha256, bytes) = self.checked().sha256(&found.path)?;
        if let Some(stated) = found.stated_sha256()
            && stated != sha256
        {
            store.remove(&found)?;
            return Err(HubError::Damaged {
                file: Foreign::said(file),
                stated: Foreign::new(stated),
                found: Foreign::new(sha256),
            });
        }
        if let Some(pinned) = file.pin()
            && pinned != sha256
        {
            if found.stated_sha256().is_none() {
                store.remove(&found)?;
            }
            return Err(HubError::PinMismatch {
                file: Foreign::said(file),
                pinned: Foreign::new(pinned),
                found: Foreign::new(sha256),
            });
        }
        Ok(Fetched {
            path: found.path,
            revision: found.commit,
            sha256,
            bytes,
        })
    }

    fn store<'a>(&self, file: &'a HubFile) -> Store<'a> {
        Store::new(self.settings.cache.clone(), file)
    }

    fn checked(&self) -> Checked {
        Checked::new(self.settings.checked.clone())
    }

    fn remote<'a>(&'a self, file: &'a HubFile) -> Result<Remote<'a>, HubError> {
        Remote::new(&self.settings, file)
    }
}

/// The sha256 and size of a file of this machine, taken now, and remembered.
pub fn full_sha256(path: &std::path::Path) -> Result<(String, u64), HubError> {
    Hub::new(Settings::of_process()?)
        .checked()
        .sha256_anew(path)
}

/// The same, remembered from an earlier run while path, size, times and place on the disk are the same.
pub fn remembered_sha256(path: &std::path::Path) -> Result<(String, u64), HubError> {
    Hub::new(Settings::of_process()?).checked().sha256(path)
}

//! Whether a file is still the one that it was, without reading it.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file whose change is younger than this when it is looked at may change again without a sign: the clocks of file
/// systems tick in steps, of up to two seconds.
const TICK_NS: u128 = 2_000_000_000;

/// A file at one moment. Its size and its time of modification are anybody's to set; its place on the disk and its time of
/// change, where the system has them, are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    bytes: u64,
    modified_ns: Option<u128>,
    inode: u64,
    changed_ns: i128,
    /// When this was looked at.
    seen_ns: u128,
}

impl State {
    /// What is known of a file now.
    pub fn of(meta: &Metadata) -> Self {
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(|d| d.as_nanos());
        let (inode, changed_ns) = identity(meta);
        Self {
            bytes: meta.len(),
            modified_ns: meta.modified().ok().and_then(since),
            inode,
            changed_ns,
            seen_ns: since(SystemTime::now()).unwrap_or_default(),
        }
    }

    /// Whether the file is the same, unchanged.
    pub fn is_still(&self, meta: &Metadata) -> bool {
        let now = Self::of(meta);
        Self {
            seen_ns: self.seen_ns,
            ..now
        } == *self
    }

    /// Whether a later change of the file would have shown.
    pub fn is_settled(&self) -> bool {
        let changed_ns = match self.changed_ns {
            0 => self.modified_ns.unwrap_or(u128::MAX),
            changed => u128::try_from(changed).unwrap_or_default(),
        };
        changed_ns.saturating_add(TICK_NS) < self.seen_ns
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, i128) {
    use std::os::unix::fs::MetadataExt;
    let changed_ns = i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec());
    (meta.ino(), changed_ns)
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i128) {
    (0, 0)
}

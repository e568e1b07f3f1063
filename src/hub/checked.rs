//! Remembers the hashes of files already read, so that a 2.3 GB checkpoint is not hashed at every start.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::error::HubError;
use crate::{files, progress};

/// A folder of small records, one a file.
#[derive(Debug)]
pub(super) struct Checked {
    folder: PathBuf,
}

/// A file as it was when it was hashed. Any other path, size or time of change, and it is hashed again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    path: PathBuf,
    bytes: u64,
    modified_ns: u128,
    sha256: String,
}

impl Checked {
    pub fn new(folder: PathBuf) -> Self {
        Checked { folder }
    }

    /// The sha256 and size of a file, remembered or computed.
    pub fn sha256(&self, path: &Path) -> Result<(String, u64), HubError> {
        let (real, meta) = real_file(path).map_err(HubError::io("read", path))?;
        if let Some(record) = self.record(&real)
            && record.bytes == meta.len()
            && Some(record.modified_ns) == modified_ns(&meta)
        {
            return Ok((record.sha256, meta.len()));
        }
        let sha256 = files::sha256_file(&real).map_err(HubError::io("read", path))?;
        self.remember(path, &sha256)?;
        Ok((sha256, meta.len()))
    }

    /// Note a hash that was just computed. That this fails costs time at the next start, not this one.
    pub fn remember(&self, path: &Path, sha256: &str) -> Result<(), HubError> {
        let (real, meta) = real_file(path).map_err(HubError::io("read", path))?;
        let Some(modified_ns) = modified_ns(&meta) else {
            return Ok(());
        };
        let at = self.record_path(&real);
        let record = Record {
            path: real,
            bytes: meta.len(),
            modified_ns,
            sha256: sha256.to_owned(),
        };
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| Ok(serde_json::to_vec(&record)?))
            .and_then(|json| files::write_bytes(&at, &json));
        if let Err(e) = written {
            progress::note(format!(
                "cannot write {}: {e}; the hash of {} will be computed again next time",
                at.display(),
                path.display()
            ));
        }
        Ok(())
    }

    /// A record that cannot be read is as good as none.
    fn record(&self, real: &Path) -> Option<Record> {
        let json = fs::read(self.record_path(real)).ok()?;
        let record: Record = serde_json::from_slice(&json).ok()?;
        (record.path == real).then_some(record)
    }

    fn record_path(&self, real: &Path) -> PathBuf {
        let name = files::sha256_bytes(real.as_os_str().as_encoded_bytes());
        self.folder.join(format!("{name}.json"))
    }
}

fn real_file(path: &Path) -> io::Result<(PathBuf, Metadata)> {
    let real = fs::canonicalize(path)?;
    let meta = fs::metadata(&real)?;
    Ok((real, meta))
}

fn modified_ns(meta: &Metadata) -> Option<u128> {
    let modified = meta.modified().ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn set_modified(path: &Path, seconds: u64) {
        let file = fs::File::options().write(true).open(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }

    #[test]
    fn a_file_is_hashed_again_only_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let checked = Checked::new(folder.path().join("checked"));
        let path = folder.path().join("weights");
        fs::write(&path, b"abc").unwrap();
        set_modified(&path, 1_000);
        let first = checked.sha256(&path).unwrap();
        assert_eq!(first, (files::sha256_bytes(b"abc"), 3));

        // Same size and time: remembered, which shows that the file was not read.
        fs::write(&path, b"xyz").unwrap();
        set_modified(&path, 1_000);
        assert_eq!(checked.sha256(&path).unwrap(), first);

        set_modified(&path, 1_001);
        assert_eq!(
            checked.sha256(&path).unwrap().0,
            files::sha256_bytes(b"xyz")
        );
        fs::write(&path, b"longer").unwrap();
        set_modified(&path, 1_001);
        assert_eq!(
            checked.sha256(&path).unwrap().0,
            files::sha256_bytes(b"longer")
        );
    }

    #[test]
    fn a_broken_record_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let checked = Checked::new(folder.path().join("checked"));
        let path = folder.path().join("weights");
        fs::write(&path, b"abc").unwrap();
        checked.remember(&path, "not its hash").unwrap();
        let real = fs::canonicalize(&path).unwrap();
        fs::write(checked.record_path(&real), b"{").unwrap();
        assert_eq!(
            checked.sha256(&path).unwrap().0,
            files::sha256_bytes(b"abc")
        );
    }
}

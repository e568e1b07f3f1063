//! Remembers the hashes of files already read, so that a 2.3 GB checkpoint is not hashed at every start.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use files::{self, State, regular};
use process::progress;
use serde::{Deserialize, Serialize};

use super::error::HubError;

/// A path, some numbers and a hash take a few hundred bytes.
const LARGEST_RECORD: u64 = 64 << 10;

/// A folder of small records, one a file.
#[derive(Debug)]
pub(super) struct Checked {
    folder: PathBuf,
}

/// A file as it was when it was hashed. Any other path or state, and it is hashed again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    path: PathBuf,
    state: State,
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
            && record.state.is_settled()
            && record.state.is_still(&meta)
        {
            return Ok((record.sha256, meta.len()));
        }
        self.sha256_anew(path)
    }

    /// The same, whatever is remembered.
    pub fn sha256_anew(&self, path: &Path) -> Result<(String, u64), HubError> {
        let (real, meta) = real_file(path).map_err(HubError::io("read", path))?;
        let sha256 = files::sha256_file(&real).map_err(HubError::io("read", path))?;
        self.remember(path, &sha256)?;
        Ok((sha256, meta.len()))
    }

    /// Note a hash that was just computed. That this fails costs time at the next start, not this one.
    pub fn remember(&self, path: &Path, sha256: &str) -> Result<(), HubError> {
        let (real, meta) = real_file(path).map_err(HubError::io("read", path))?;
        let at = self.record_path(&real);
        let record = Record {
            path: real,
            state: State::of(&meta),
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
        let json = regular::read(&self.record_path(real), LARGEST_RECORD).ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn set_modified(path: &Path, seconds: u64) {
        let file = fs::File::options().write(true).open(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }

    /// So that the file's time of change is one that a record trusts.
    fn settle() {
        std::thread::sleep(Duration::from_millis(2_100));
    }

    #[test]
    fn a_file_that_stays_as_it_was_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let checked = Checked::new(folder.path().join("checked"));
        let path = folder.path().join("weights");
        fs::write(&path, b"abc").unwrap();
        settle();
        // A hash that nobody computes shows that the record was taken.
        checked.remember(&path, "remembered").unwrap();
        assert_eq!(checked.sha256(&path).unwrap(), ("remembered".to_owned(), 3));
        let anew = checked.sha256_anew(&path).unwrap();
        assert_eq!(anew, (files::sha256_bytes(b"abc"), 3));
        assert_eq!(checked.sha256(&path).unwrap(), anew);
    }

    #[test]
    fn a_file_that_was_swapped_at_equal_size_and_time_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let checked = Checked::new(folder.path().join("checked"));
        let path = folder.path().join("weights");
        let other = folder.path().join("other");
        for (file, bytes) in [(&path, b"abc"), (&other, b"xyz")] {
            fs::write(file, bytes).unwrap();
            set_modified(file, 1_000);
        }
        settle();
        assert_eq!(
            checked.sha256(&path).unwrap().0,
            files::sha256_bytes(b"abc")
        );
        // Another file in its place, and the same file with other bytes, both of the old size and time.
        fs::rename(&other, &path).unwrap();
        assert_eq!(
            checked.sha256(&path).unwrap().0,
            files::sha256_bytes(b"xyz")
        );
        fs::write(&path, b"123").unwrap();
        set_modified(&path, 1_000);
        assert_eq!(
            checked.sha256(&path).unwrap().0,
            files::sha256_bytes(b"123")
        );
    }

    #[test]
    fn a_file_that_changes_right_after_it_was_hashed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let checked = Checked::new(folder.path().join("checked"));
        let path = folder.path().join("weights");
        // Within one tick of the file system's clock, times of change are the same.
        for i in 0..50u8 {
            fs::write(&path, [i; 4]).unwrap();
            set_modified(&path, 1_000);
            assert_eq!(
                checked.sha256(&path).unwrap().0,
                files::sha256_bytes(&[i; 4])
            );
        }
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

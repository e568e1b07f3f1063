//! Files of weights, read where a tensor lies and nowhere else.
//!
//! Not memory-mapped: a map of a file that another process cuts short ends this one with a signal. Here that is an error.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use files::{State, regular};

use super::CheckpointError;

/// An open file; whatever becomes of its name, this stays the same file.
#[derive(Debug)]
pub(super) struct WeightsFile {
    pub path: PathBuf,
    file: File,
    length: usize,
    state: State,
}

impl WeightsFile {
    /// Open a regular file that is not empty.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let io = |e| CheckpointError::io(path, e);
        let file = regular::open(path).map_err(|e| match e.kind() {
            ErrorKind::InvalidInput => CheckpointError::unsupported(
                path,
                "it is not a regular file",
                "name a checkpoint file or folder",
            ),
            _ => io(e),
        })?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.len() == 0 {
            return Err(CheckpointError::damaged(path, "the file is empty"));
        }
        let length = usize::try_from(metadata.len())
            .map_err(|_| CheckpointError::damaged(path, "this machine has no numbers so large"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            state: State::of(&metadata),
        })
    }

    /// Bytes in the file when it was opened.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Fill `bytes` from the byte `start` on.
    pub fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), CheckpointError> {
        read_exact_at(&self.file, bytes, start as u64).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => CheckpointError::damaged(
                &self.path,
                "the file is shorter than when it was opened: somebody else changes it",
            ),
            _ => CheckpointError::io(&self.path, e),
        })
    }

    /// The bytes of `range`, which has to lie in the file; memory is taken for them at once.
    pub fn bytes(&self, range: Range<usize>) -> Result<Vec<u8>, CheckpointError> {
        let mut bytes = vec![0; range.len()];
        self.read(range.start, &mut bytes)?;
        Ok(bytes)
    }

    /// At most `limit` bytes from the start.
    pub fn head(&self, limit: usize) -> Result<Vec<u8>, CheckpointError> {
        self.bytes(0..limit.min(self.length))
    }

    /// The file as a stream, for readers of containers.
    pub fn stream(&self) -> Stream<'_> {
        Stream { file: self, at: 0 }
    }

    /// The file is as it was when it was opened.
    pub fn check_unchanged(&self) -> Result<(), CheckpointError> {
        let io = |e| CheckpointError::io(&self.path, e);
        match self.state.is_still(&self.file.metadata().map_err(io)?) {
            true => Ok(()),
            false => Err(CheckpointError::damaged(
                &self.path,
                "the file changed while it was read",
            )),
        }
    }
}

/// Reads a file from a place of its own.
pub(super) struct Stream<'f> {
    file: &'f WeightsFile,
    at: u64,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.file.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Stream<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let moved = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.file.length as u64).checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = moved.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(unix)]
use std::os::unix::fs::FileExt as _;

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(file, buffer, at) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buffer = &mut buffer[n..];
                at += n as u64;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_shrinks_or_changes_is_an_error_and_not_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        std::fs::write(&path, [7; 10_000]).unwrap();
        let file = WeightsFile::open(&path).unwrap();
        assert_eq!(file.bytes(9_990..10_000).unwrap(), [7; 10]);
        file.check_unchanged().unwrap();
        let writer = File::options().write(true).open(&path).unwrap();
        writer.set_len(5_000).unwrap();
        let error = file.bytes(0..10_000).unwrap_err().to_string();
        assert!(error.contains("shorter than when it was opened"), "{error}");
        let error = file.check_unchanged().unwrap_err().to_string();
        assert!(error.contains("changed while it was read"), "{error}");
    }

    #[test]
    fn a_file_that_was_put_in_its_place_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        let other = folder.path().join("other");
        std::fs::write(&path, "old").unwrap();
        std::fs::write(&other, "new").unwrap();
        let file = WeightsFile::open(&path).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(file.bytes(0..3).unwrap(), b"old");
    }
}

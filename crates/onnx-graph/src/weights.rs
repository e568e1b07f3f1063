//! The external data file of a graph: tensors one after another, each at the start of a page.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Tensors start at multiples of this, so that a runtime can map them from the file.
const PAGE: u64 = 4096;

/// An external data file that is being written; tensors go to disk as they come and are not kept in memory.
pub struct WeightsFile {
    file: BufWriter<File>,
    path: PathBuf,
    end: u64,
}

impl WeightsFile {
    /// Start the file at `path`. Graphs name it by its file name and look for it in their own folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 20, File::create(path)?),
            path: path.to_owned(),
            end: 0,
        })
    }

    /// The name that graphs refer to.
    pub(super) fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Append `bytes` and return the offset where they begin.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let start = self.end.next_multiple_of(PAGE);
        let padding = [0u8; PAGE as usize];
        self.file
            .write_all(&padding[..(start - self.end) as usize])?;
        self.file.write_all(bytes)?;
        self.end = start + bytes.len() as u64;
        Ok(start)
    }

    /// Flush everything to disk and return the size in bytes.
    pub fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.end)
    }
}

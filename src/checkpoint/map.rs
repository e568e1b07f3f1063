//! Memory-mapped files.

use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::CheckpointError;

/// A file whose bytes the operating system pages in as they are touched.
#[derive(Debug)]
pub(super) struct MappedFile {
    pub path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    /// Map a regular file that is not empty.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let io = |e| CheckpointError::io(path, e);
        // Asked before opening: opening a named pipe would wait for a writer for ever.
        let metadata = std::fs::metadata(path).map_err(io)?;
        if !metadata.is_file() {
            return Err(CheckpointError::unsupported(
                path,
                "it is not a regular file",
                "name a checkpoint file or folder",
            ));
        }
        if metadata.len() == 0 {
            return Err(CheckpointError::damaged(path, "the file is empty"));
        }
        let file = File::open(path).map_err(io)?;
        // SAFETY: the map is only read. As with every memory map, the file must not be cut short by another process
        // meanwhile; checkpoints are written once, and downloads go to a temporary name first.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            map,
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}

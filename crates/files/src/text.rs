//! Text files from strangers: bounded, UTF-8, with or without a byte order mark.

use std::io;
use std::path::{Path, PathBuf};

use crate::regular;

/// Why a text file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot read {}: it is a folder, and a file is needed here", path.display())]
    Folder { path: PathBuf },
    #[error("cannot read {}: it holds more than {limit_bytes} bytes, the most for such a file", path.display())]
    TooLarge { path: PathBuf, limit_bytes: u64 },
    #[error("cannot read {}: line {line} is not UTF-8; save the file as UTF-8", path.display())]
    NotUtf8 { path: PathBuf, line: usize },
}

/// The whole text of a file of at most `limit_bytes`, without a byte order mark.
///
/// The file's stated size is not believed: at most `limit_bytes` + 1 bytes are read.
pub fn read(path: &Path, limit_bytes: u64) -> Result<String, TextError> {
    let failed = |source| TextError::Read {
        path: path.to_owned(),
        source,
    };
    let file = regular::open_or_pipe(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(TextError::Folder {
            path: path.to_owned(),
        });
    }
    // Not of regular files only: prompts may come through a pipe of the user's.
    let bytes = regular::read_limited(file, limit_bytes).map_err(|e| match e.kind() {
        io::ErrorKind::FileTooLarge => TextError::TooLarge {
            path: path.to_owned(),
            limit_bytes,
        },
        _ => failed(e),
    })?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = good.iter().filter(|b| **b == b'\n').count() + 1;
        TextError::NotUtf8 {
            path: path.to_owned(),
            line,
        }
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_goes_and_bad_bytes_are_placed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.txt");
        std::fs::write(&path, b"\xef\xbb\xbfone\n").unwrap();
        assert_eq!(read(&path, 100).unwrap(), "one\n");
        std::fs::write(&path, b"one\ntwo\xff\n").unwrap();
        assert!(matches!(
            read(&path, 100),
            Err(TextError::NotUtf8 { line: 2, .. })
        ));
    }

    #[test]
    fn the_limit_is_the_last_size_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.txt");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), "12345");
        assert!(matches!(
            read(&path, 4),
            Err(TextError::TooLarge { limit_bytes: 4, .. })
        ));
        assert!(matches!(
            read(folder.path(), 4),
            Err(TextError::Folder { .. })
        ));
    }
}

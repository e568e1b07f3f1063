//! Text files from strangers: bounded, UTF-8 with or without a byte order mark, or UTF-16 with one.

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
    #[error("cannot read {}: it begins as UTF-16, and goes on otherwise; save the file as UTF-8", path.display())]
    NotUtf16 { path: PathBuf },
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
    if let Some(text) = utf_16(&bytes) {
        return text.ok_or_else(|| TextError::NotUtf16 {
            path: path.to_owned(),
        });
    }
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

/// The text of what begins with a byte order mark of UTF-16, as spreadsheets write it; `None` inside where it is damaged.
fn utf_16(bytes: &[u8]) -> Option<Option<String>> {
    let (rest, is_little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return None,
    };
    let (pairs, left) = rest.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| match is_little {
        true => u16::from_le_bytes(*pair),
        false => u16::from_be_bytes(*pair),
    };
    let units: Vec<u16> = pairs.iter().map(unit).collect();
    Some(String::from_utf16(&units).ok().filter(|_| left.is_empty()))
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
    fn utf_16_with_its_mark_is_text_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let text = "path;prompt\nsüß.wav;сладкий 🍬\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes) in [([0xff, 0xfe], &little), ([0xfe, 0xff], &big)] {
            let whole = [&mark[..], bytes].concat();
            std::fs::write(&path, &whole).unwrap();
            assert_eq!(read(&path, 1000).unwrap(), text);
            std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
            let told = read(&path, 1000).unwrap_err().to_string();
            assert!(told.contains("begins as UTF-16"), "{told}");
        }
        // Half of a pair.
        std::fs::write(&path, [0xff, 0xfe, 0x3d, 0xd8]).unwrap();
        assert!(matches!(read(&path, 100), Err(TextError::NotUtf16 { .. })));
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

//! A file of JSON lines that only grows: what a long job has finished so far.
//!
//! A line is whole or it does not count: what a killed process left half-written at the end is cut off when the file is
//! opened again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use files::{self, regular};
use process::progress::note;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Of a file [bytes]: a million pieces under three arms take about a quarter of it.
const LARGEST: u64 = 4 << 30;
/// Of a line [bytes]: one with a long prompt takes some thousand.
const LONGEST_LINE: u64 = 16 << 20;

/// The file, open for appending.
pub(super) struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Open the file at `path` and hand what it holds to `each`, which says whether the line counts: what stands from the
    /// first one on that does not is cut off. With `fresh`, empty it first.
    pub fn open<E: DeserializeOwned>(
        path: &Path,
        fresh: bool,
        mut each: impl FnMut(E) -> bool,
    ) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(fresh);
        let mut file = files::open_own(path, &mut options)?;
        if file.metadata()?.len() > LARGEST {
            return Err(regular::too_large(LARGEST));
        }
        let mut lines = Self {
            path: path.to_owned(),
            file: file.try_clone()?,
        };
        let whole = read_whole(path, &mut file, &mut each)?;
        lines.file.set_len(whole)?;
        lines.file.seek(io::SeekFrom::End(0))?;
        Ok(lines)
    }

    /// The same, and leave the file as it is: another process may be writing it. None is there when there is no such file.
    pub fn read<E: DeserializeOwned>(
        path: &Path,
        mut each: impl FnMut(E) -> bool,
    ) -> io::Result<()> {
        let mut file = match regular::open(&files::in_its_folder(path)?) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        if file.metadata()?.len() > LARGEST {
            return Err(regular::too_large(LARGEST));
        }
        read_whole(path, &mut file, &mut each)?;
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Append a line for each entry, all in one write. When that fails, as on a full disk, what was half-written is
    /// taken back; should that fail too, the next opening cuts it off.
    pub fn add<E: Serialize>(&mut self, entries: &[E]) -> io::Result<()> {
        let before = self.file.stream_position()?;
        let mut lines = Vec::new();
        entries
            .iter()
            .try_for_each(|entry| write_line(&mut lines, entry))?;
        if let Err(e) = self.file.write_all(&lines) {
            return Err(match self.take_back(before) {
                Ok(()) => e,
                Err(also) => io::Error::new(e.kind(), format!("{e}; then {also}")),
            });
        }
        Ok(())
    }

    fn take_back(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(io::SeekFrom::Start(length))?;
        Ok(())
    }
}

/// Write such a file at once, whole or not at all.
pub(super) fn write<E: Serialize>(
    path: &Path,
    entries: impl IntoIterator<Item = E>,
) -> io::Result<()> {
    let mut entries = entries.into_iter();
    files::write_atomic(path, |file| {
        entries.try_for_each(|entry| write_line(file, &entry))
    })
}

fn write_line(to: &mut impl Write, entry: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, entry)?;
    to.write_all(b"\n")
}

/// Hand each whole line to `each` while they count; gives the bytes that those take.
fn read_whole<E: DeserializeOwned>(
    path: &Path,
    file: &mut File,
    each: &mut dyn FnMut(E) -> bool,
) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut whole = 0;
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        let mut bounded = reader.by_ref().take(LONGEST_LINE);
        bounded.read_until(b'\n', line)
    };
    while next(&mut line)? > 0 {
        let counts = match serde_json::from_slice(&line) {
            Ok(entry) => line.ends_with(b"\n") && each(entry),
            Err(_) => false,
        };
        if !counts {
            break;
        }
        whole += line.len() as u64;
        line.clear();
    }
    // One line may be half-written; several, or one of no end, mean that the file was damaged.
    if line.ends_with(b"\n") || line.len() as u64 == LONGEST_LINE {
        note(format!(
            "{} is damaged after byte {whole}; what stood there is computed again",
            path.display()
        ));
    }
    Ok(whole)
}

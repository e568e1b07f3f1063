//! The embeddings beside a journal: 32-bit floats, one embedding after the other, in a file that only grows.
//!
//! A line of the journal says where its embedding stands, and is written after it. Decimals in the line itself took five
//! times the room and most of the time that a run of many pieces was read in.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crc32fast::hash;
use files::regular;
use serde::{Deserialize, Serialize};

/// The file's name, beside the journal.
pub(super) const VECTORS: &str = ".embeddings.f32";
const FLOAT_BYTES: usize = size_of::<f32>();
/// Of an embedding, or of all windows of a piece: those of CLAP have 512, and two hours have 72,000 windows.
const MOST_DIMENSIONS: u32 = 1 << 27;

/// Where an embedding stands: its first byte, its dimensions, and the CRC-32 of its bytes, since a machine that dies may
/// leave the length of a file without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place(u64, u32, u32);

impl Place {
    pub fn start(&self) -> u64 {
        self.0
    }

    fn bytes(&self) -> usize {
        self.1 as usize * FLOAT_BYTES
    }

    /// The byte behind it; `None` of a place that no file can have.
    pub fn end(&self) -> Option<u64> {
        let is_sane = (1..=MOST_DIMENSIONS).contains(&self.1);
        self.0.checked_add(self.bytes() as u64).filter(|_| is_sane)
    }
}

/// The file, open for appending.
pub(super) struct Vectors {
    file: File,
    length: u64,
}

impl Vectors {
    /// Open the file at `path`, made if it is missing; with `fresh`, empty it first.
    pub fn open(path: &Path, fresh: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(fresh);
        let file = files::open_own(path, &mut options)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// Embeddings to be appended.
    pub fn batch(&self) -> Batch {
        Batch {
            start: self.length,
            bytes: Vec::new(),
        }
    }

    /// Append a batch in one write; when that fails, as on a full disk, nothing of it.
    pub fn add(&mut self, batch: &Batch) -> io::Result<()> {
        let before = self.length;
        self.file.seek(SeekFrom::Start(before))?;
        if let Err(e) = self.file.write_all(&batch.bytes) {
            return Err(match self.cut(before) {
                Ok(()) => e,
                Err(also) => io::Error::new(e.kind(), format!("{e}; then {also}")),
            });
        }
        self.length += batch.bytes.len() as u64;
        Ok(())
    }

    /// Forget what stands behind `length`.
    pub fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        Ok(())
    }
}

/// Embeddings on their way into the file.
pub(super) struct Batch {
    start: u64,
    bytes: Vec<u8>,
}

impl Batch {
    /// Where the embedding will stand.
    pub fn place(&mut self, embedding: &[f32]) -> Place {
        let before = self.bytes.len();
        let bytes = embedding.iter().flat_map(|value| value.to_le_bytes());
        self.bytes.extend(bytes);
        let dimensions = u32::try_from(embedding.len()).unwrap_or(u32::MAX);
        Place(
            self.start + before as u64,
            dimensions,
            hash(&self.bytes[before..]),
        )
    }
}

/// The length of the file at `path`; none is there when there is no such file.
pub(super) fn length(path: &Path) -> io::Result<u64> {
    match files::in_its_folder(path).and_then(|path| regular::open(&path)) {
        Ok(file) => Ok(file.metadata()?.len()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(e),
    }
}

/// The embeddings at `places` of the file at `path`, from its beginning to its end; they are in the order of their starts.
pub(super) fn read(path: &Path, places: &[Place]) -> io::Result<Vec<Vec<f32>>> {
    let mut file = BufReader::with_capacity(1 << 16, regular::open(&files::in_its_folder(path)?)?);
    let mut at = 0;
    let mut bytes = Vec::new();
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        let end = place.end().ok_or(io::ErrorKind::InvalidData)?;
        file.seek_relative(place.start() as i64 - at as i64)?;
        bytes.resize(place.bytes(), 0);
        file.read_exact(&mut bytes)?;
        at = end;
        if hash(&bytes) != place.2 {
            let told = format!("what stands at byte {} is not what was written", place.0);
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        }
        let values = bytes.as_chunks::<FLOAT_BYTES>().0.iter();
        found.push(values.map(|value| f32::from_le_bytes(*value)).collect());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_come_back_to_the_bit_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(VECTORS);
        let given = [
            vec![0.1_f32, -0.0, f32::MIN_POSITIVE],
            vec![1e-45, 0.333_333_34],
        ];
        let mut vectors = Vectors::open(&path, false).unwrap();
        let mut places = Vec::new();
        for embedding in &given {
            let mut batch = vectors.batch();
            places.push(batch.place(embedding));
            vectors.add(&batch).unwrap();
        }
        assert_eq!(read(&path, &places).unwrap(), given);
        assert_eq!(read(&path, &places[1..]).unwrap(), given[1..]);
        assert_eq!((vectors.length(), places[1].end()), (20, Some(20)));
        vectors.cut(12).unwrap();
        assert!(read(&path, &places).is_err() && read(&path, &places[..1]).is_ok());
        std::fs::write(&path, [0; 20]).unwrap();
        let told = read(&path, &places).unwrap_err().to_string();
        assert_eq!(told, "what stands at byte 0 is not what was written");
        for place in [Place(u64::MAX, 1, 0), Place(0, 0, 0), Place(0, u32::MAX, 0)] {
            assert_eq!(place.end(), None);
            assert!(read(&path, &[place]).is_err());
        }
    }
}

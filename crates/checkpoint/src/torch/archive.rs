//! The zip around a torch checkpoint: where each entry's bytes are in the file.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;

use foreign::guarded;
use foreign::words;
use foreign::{Foreign, Words};
use zip::{CompressionMethod, ZipArchive};

use super::super::CheckpointError;
use super::super::file::{Stream, WeightsFile};

/// The entries of the archive's folder. torch.save stores them uncompressed, so that each is a range of the file.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    file: &'a WeightsFile,
    /// By name below the archive's one folder: `data.pkl`, `data/0`, `byteorder`, `version`.
    entries: BTreeMap<String, Range<usize>>,
}

impl<'a> Archive<'a> {
    /// Find the entries; every range is inside the file, and `data.pkl` is among them.
    pub fn open(file: &'a WeightsFile) -> Result<Self, CheckpointError> {
        let path = &file.path;
        let damaged = |detail: Words| CheckpointError::damaged(path, detail);
        let all = guarded(|| entries(file))
            .unwrap_or_else(|| Err("the zip's reader cannot make sense of it".into()))
            .map_err(damaged)?;
        let folder = folder(path, &all)?;
        let entries = all
            .into_iter()
            .filter_map(|(name, range)| Some((name.strip_prefix(&folder)?.to_owned(), range)))
            .collect();
        let archive = Self { file, entries };
        if archive.entries.contains_key("constants.pkl") {
            return Err(CheckpointError::unsupported(
                path,
                "it is a TorchScript program, not a file of weights",
                "load it with torch where you trust it, and save its state_dict",
            ));
        }
        Ok(archive)
    }

    /// Where an entry lies in the file.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        self.entries.get(name).cloned()
    }

    /// An entry's first bytes, at most `limit`.
    pub fn bytes(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, CheckpointError> {
        let range = self.range(name);
        let head = range.map(|range| range.start..range.end.min(range.start + limit));
        head.map(|range| self.file.bytes(range)).transpose()
    }
}

/// Every entry of the zip with its range.
fn entries(file: &WeightsFile) -> Result<BTreeMap<String, Range<usize>>, Words> {
    let mut zip = ZipArchive::new(BufReader::new(file.stream())).map_err(|e| {
        words!(
            "the zip's directory at its end is not whole ({})",
            Foreign::said(e)
        )
    })?;
    if zip.has_duplicate_names() {
        return Err("two entries of the zip have one name".into());
    }
    (0..zip.len())
        .map(|index| {
            let found = entry(&mut zip, index, file.len());
            found.map_err(|detail| words!("zip entry {}: {}", index, detail))
        })
        .collect()
}

/// Name and range of one entry.
fn entry(
    zip: &mut ZipArchive<BufReader<Stream<'_>>>,
    index: usize,
    file_size: usize,
) -> Result<(String, Range<usize>), Words> {
    let entry = zip.by_index_raw(index).map_err(Foreign::said)?;
    let name = entry.name().map_err(Foreign::said)?.into_owned();
    let shown = Foreign::new(&name);
    if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
        return Err(words!(
            "`{}` is compressed or encrypted, which torch.save never does",
            shown
        ));
    }
    let start = entry
        .data_start()
        .and_then(|start| usize::try_from(start).ok());
    let range = start
        .zip(usize::try_from(entry.size()).ok())
        .and_then(|(start, size)| Some(start..start.checked_add(size)?))
        .filter(|range| range.end <= file_size && entry.size() == entry.compressed_size());
    match range {
        Some(range) => Ok((name, range)),
        None => Err(words!(
            "`{}` claims {} bytes, more than the file holds",
            shown,
            entry.size()
        )),
    }
}

/// The archive's one folder, with its slash: the one that holds `data.pkl`.
fn folder(path: &Path, all: &BTreeMap<String, Range<usize>>) -> Result<String, CheckpointError> {
    let mut folders = all.keys().filter_map(|name| {
        let folder = name.strip_suffix("data.pkl")?;
        (folder.find('/')? + 1 == folder.len()).then_some(folder)
    });
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder.to_owned()),
        (Some(_), Some(_)) => Err(CheckpointError::damaged(
            path,
            "the zip holds two pickles of tensors",
        )),
        (None, _) => Err(CheckpointError::unsupported(
            path,
            "it is a zip without data.pkl, so torch.save did not write it",
            "name the checkpoint itself; unpack it first if it is inside this zip",
        )),
    }
}

//! What a run has finished so far: one JSON line for each piece made and each embedding, appended as it comes.
//!
//! A line beside them says where a graph's nodes ran, so that the manifest knows it also after a resumed run.
//!
//! A line is whole or it does not count: what a killed process left half-written at the end is cut off when the
//! journal is opened again. CSVs are made from the journal once everything is there.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::audio::Crops;
use crate::progress::note;

/// One finished piece, or one finished embedding under one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Entry {
    /// Its file is whole, and has this hash.
    Piece { id: String, sha256: String },
    Text {
        arm: String,
        prompt: String,
        embedding: Vec<f32>,
    },
    Audio {
        arm: String,
        id: String,
        embedding: Vec<f32>,
        crops: Crops,
    },
    /// Where a graph of an arm ran; it comes before the last embedding that the graph made.
    Ran {
        arm: String,
        graph: String,
        /// Nodes by execution provider.
        nodes: BTreeMap<String, usize>,
        /// ONNX Runtime in its own words.
        build: String,
    },
}

/// The journal of one run folder, open for appending.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Hashes by piece id.
    pieces: HashMap<String, String>,
    /// By arm and prompt.
    texts: HashMap<(String, String), Vec<f32>>,
    /// By arm and piece id.
    clips: HashMap<(String, String), (Vec<f32>, Crops)>,
    /// By arm and graph.
    ran: HashMap<(String, String), BTreeMap<String, usize>>,
    build: Option<String>,
}

impl Journal {
    /// Open the journal at `path` and read what it holds; with `fresh`, empty it first.
    pub fn open(path: &Path, fresh: bool) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(fresh)
            .open(path)?;
        let mut journal = Self {
            path: path.to_owned(),
            file: file.try_clone()?,
            pieces: HashMap::new(),
            texts: HashMap::new(),
            clips: HashMap::new(),
            ran: HashMap::new(),
            build: None,
        };
        let mut reader = BufReader::new(&mut file);
        let mut whole = 0;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            match serde_json::from_slice(&line) {
                Ok(entry) if line.ends_with(b"\n") => journal.remember(entry),
                _ => break,
            }
            whole += line.len() as u64;
            line.clear();
        }
        // One line may be half-written; several mean that the file was damaged.
        if line.ends_with(b"\n") {
            note(format!(
                "{} is damaged after byte {whole}; what stood there is computed again",
                path.display()
            ));
        }
        journal.file.set_len(whole)?;
        journal.file.seek(io::SeekFrom::End(0))?;
        Ok(journal)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Append lines in one write. When that fails, as on a full disk, what was half-written is taken back; should that
    /// fail too, the next opening cuts it off.
    pub fn add(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let before = self.file.stream_position()?;
        let mut lines = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        if let Err(e) = self.file.write_all(&lines) {
            return Err(match self.file.set_len(before) {
                Ok(()) => e,
                Err(also) => io::Error::new(e.kind(), format!("{e}; then {also}")),
            });
        }
        entries.into_iter().for_each(|entry| self.remember(entry));
        Ok(())
    }

    fn remember(&mut self, entry: Entry) {
        match entry {
            Entry::Piece { id, sha256 } => {
                // Where a provider does not make the same piece twice, what was computed of the first one is void.
                if self.pieces.get(&id).is_some_and(|made| *made != sha256) {
                    self.clips.retain(|(_, clip), _| *clip != id);
                }
                self.pieces.insert(id, sha256);
            }
            Entry::Text {
                arm,
                prompt,
                embedding,
            } => {
                self.texts.insert((arm, prompt), embedding);
            }
            Entry::Audio {
                arm,
                id,
                embedding,
                crops,
            } => {
                self.clips.insert((arm, id), (embedding, crops));
            }
            Entry::Ran {
                arm,
                graph,
                nodes,
                build,
            } => {
                self.ran.insert((arm, graph), nodes);
                self.build = Some(build);
            }
        }
    }

    /// The hash of a piece's file, if it was made.
    pub fn piece(&self, id: &str) -> Option<&str> {
        self.pieces.get(id).map(String::as_str)
    }

    /// The embedding of a prompt under an arm, if it is finished.
    pub fn text(&self, arm: &str, prompt: &str) -> Option<&[f32]> {
        self.texts
            .get(&(arm.to_owned(), prompt.to_owned()))
            .map(Vec::as_slice)
    }

    /// The embedding of a piece under an arm and the crops taken, if it is finished.
    pub fn clip(&self, arm: &str, id: &str) -> Option<(&[f32], Crops)> {
        self.clips
            .get(&(arm.to_owned(), id.to_owned()))
            .map(|(embedding, crops)| (embedding.as_slice(), *crops))
    }

    /// Nodes of a graph by the provider that they ran on.
    pub fn nodes(&self, arm: &str, graph: &str) -> BTreeMap<String, usize> {
        let key = (arm.to_owned(), graph.to_owned());
        self.ran.get(&key).cloned().unwrap_or_default()
    }

    /// The build of ONNX Runtime that ran the last graph.
    pub fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> Entry {
        Entry::Audio {
            arm: "on".into(),
            id: id.into(),
            embedding: vec![0.1, -1e-9, 0.333_333_34],
            crops: Crops {
                offset: Some(7),
                ..Crops::default()
            },
        }
    }

    #[test]
    fn what_was_killed_half_way_is_cut_off_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path, false).unwrap();
        journal.add(vec![entry("a")]).unwrap();
        journal.add(vec![entry("b")]).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut journal = Journal::open(&path, false).unwrap();
            assert_eq!(journal.clip("on", "a").is_some(), cut > whole.len() / 2 - 1);
            assert!(journal.clip("on", "b").is_none());
            journal.add(vec![entry("b")]).unwrap();
            let again = Journal::open(&path, false).unwrap();
            let (embedding, crops) = again.clip("on", "b").unwrap();
            assert_eq!(embedding, [0.1, -1e-9, 0.333_333_34]);
            assert_eq!(crops.offset, Some(7));
        }
    }

    #[test]
    fn what_was_computed_of_another_file_is_void() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path, false).unwrap();
        let made = |id: &str, sha256: &str| Entry::Piece {
            id: id.into(),
            sha256: sha256.into(),
        };
        let entries = vec![made("a", "1"), made("b", "1"), entry("a"), entry("b")];
        journal.add(entries).unwrap();
        journal.add(vec![made("a", "2"), made("b", "1")]).unwrap();
        for journal in [&journal, &Journal::open(&path, false).unwrap()] {
            assert_eq!((journal.piece("a"), journal.piece("c")), (Some("2"), None));
            assert!(journal.clip("on", "a").is_none() && journal.clip("on", "b").is_some());
        }
    }

    #[test]
    fn fresh_forgets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::open(&path, false)
            .unwrap()
            .add(vec![entry("a")])
            .unwrap();
        let journal = Journal::open(&path, true).unwrap();
        assert!(journal.clip("on", "a").is_none());
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}

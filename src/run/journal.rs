//! What a run has finished so far: one JSON line for each piece made and each embedding, appended as it comes.
//!
//! A line beside them says where a graph's nodes ran, so that the manifest knows it also after a resumed run.
//!
//! CSVs are made from the journal once everything is there.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use clap_audio::Crops;
use serde::{Deserialize, Serialize};

use super::lines::Lines;
use super::shards::Taken;
use crate::results::Embeddings;

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
        /// The piece's key.
        id: String,
        embedding: Vec<f32>,
        crops: Crops,
    },
    /// A share of the run was computed elsewhere, and taken.
    Share(Box<Taken>),
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
    lines: Lines,
    finished: Finished,
}

#[derive(Default)]
struct Finished {
    /// Hashes by piece id.
    pieces: HashMap<String, String>,
    /// By arm and prompt.
    texts: HashMap<(String, String), Vec<f32>>,
    /// By arm and piece key.
    clips: HashMap<(String, String), (Vec<f32>, Crops)>,
    /// By arm and graph.
    ran: HashMap<(String, String), BTreeMap<String, usize>>,
    build: Option<String>,
    shares: Vec<Taken>,
}

impl Journal {
    /// Open the journal at `path` and read what it holds; with `fresh`, empty it first.
    pub fn open(path: &Path, fresh: bool) -> io::Result<Self> {
        let mut finished = Finished::default();
        let lines = Lines::open(path, fresh, |entry| finished.remember(entry))?;
        Ok(Self { lines, finished })
    }

    /// Take what the journal of another process holds as finished too, and hand each line to `each` first. That journal is
    /// only read.
    pub fn absorb(&mut self, path: &Path, mut each: impl FnMut(&Entry)) -> io::Result<()> {
        Lines::read(path, |entry: Entry| {
            each(&entry);
            self.finished.remember(entry);
        })
    }

    pub fn path(&self) -> &Path {
        self.lines.path()
    }

    /// Append lines in one write; when that fails, none of them.
    pub fn add(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        self.lines.add(&entries)?;
        for entry in entries {
            self.finished.remember(entry);
        }
        Ok(())
    }

    /// The hash of a piece's file, if it was made.
    pub fn piece(&self, id: &str) -> Option<&str> {
        self.finished.pieces.get(id).map(String::as_str)
    }

    /// Nodes of a graph by the provider that they ran on.
    pub fn nodes(&self, arm: &str, graph: &str) -> BTreeMap<String, usize> {
        let key = (arm.to_owned(), graph.to_owned());
        self.finished.ran.get(&key).cloned().unwrap_or_default()
    }

    /// Whether a graph ran and it is not known where.
    pub fn is_unplaced(&self, arm: &str, graph: &str) -> bool {
        let key = (arm.to_owned(), graph.to_owned());
        self.finished.ran.get(&key).is_some_and(BTreeMap::is_empty)
    }

    /// The attempts at shares that were taken, in the order in which they were.
    pub fn shares(&self) -> &[Taken] {
        &self.finished.shares
    }

    /// The build of ONNX Runtime that ran the last graph.
    pub fn build(&self) -> Option<&str> {
        self.finished.build.as_deref()
    }
}

/// Those that are finished.
impl Embeddings for Journal {
    fn clip(&self, arm: &str, key: &str) -> Option<(&[f32], Crops)> {
        let key = (arm.to_owned(), key.to_owned());
        let found = self.finished.clips.get(&key);
        found.map(|(embedding, crops)| (embedding.as_slice(), *crops))
    }

    fn text(&self, arm: &str, text: &str) -> Option<&[f32]> {
        let key = (arm.to_owned(), text.to_owned());
        self.finished.texts.get(&key).map(Vec::as_slice)
    }
}

impl Finished {
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
            Entry::Share(taken) => {
                // One attempt may be taken from twice, while it is at work.
                self.shares.retain(|other| other.header != taken.header);
                self.shares.push(*taken);
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

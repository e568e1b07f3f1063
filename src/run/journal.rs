//! What a run has finished so far: one JSON line for each piece made and each embedding, appended as it comes.
//!
//! A line beside them says where a graph's nodes ran, so that the manifest knows it also after a resumed run. The embeddings
//! themselves stand in a file beside it: see `vectors`.
//!
//! CSVs are made from the journal once everything is there. Of a million pieces the places of their embeddings fit into memory,
//! and the embeddings do not: they are read when they are wanted, some at a time.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap_audio::Crops;
use pipelines::windows::Windowed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::folder::JOURNAL;
use super::lines::Lines;
use super::vectors::{self, Place, VECTORS, Vectors};
use crate::results::Embeddings;

/// One finished piece, or one finished embedding under one arm: as it is at hand, or as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Entry<Embedding = Vec<f32>> {
    /// Its file is whole, and has this hash.
    Piece { id: String, sha256: String },
    Text {
        arm: String,
        prompt: String,
        embedding: Embedding,
    },
    Audio {
        arm: String,
        /// The piece's key.
        id: String,
        embedding: Embedding,
        crops: Crops,
        /// Where all of it was heard.
        #[serde(default = "none", skip_serializing_if = "Option::is_none")]
        windows: Option<Windows<Embedding>>,
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

/// The windows that a piece was heard in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Windows<Embeddings> {
    /// First sample of the last one, at 48 kHz.
    pub last: usize,
    /// One after the other.
    pub embeddings: Embeddings,
}

/// `Option::default` would ask for a default of what may be in it.
fn none<T>() -> Option<T> {
    None
}

/// A line of a journal.
pub(super) type Line = Entry<Place>;

/// The journal of one run folder, open for appending, with what those of other processes hold.
pub(super) struct Journal {
    lines: Lines,
    vectors: Vectors,
    finished: Finished,
}

/// What is finished, by numbers: of a piece's key or a text, of an arm, of a file of embeddings.
#[derive(Default)]
struct Finished {
    /// Of embeddings.
    files: Vec<PathBuf>,
    keys: HashMap<Box<str>, usize>,
    texts: HashMap<Box<str>, usize>,
    /// Hashes by key.
    pieces: Vec<Option<Box<str>>>,
    arms: Vec<OfArm>,
    /// By arm and graph.
    ran: HashMap<(String, String), BTreeMap<String, usize>>,
    build: Option<String>,
}

/// What is finished under an arm.
struct OfArm {
    name: String,
    /// By text.
    texts: Vec<Option<Stored>>,
    /// By key.
    clips: Vec<Option<(Stored, Crops)>>,
    /// By key; empty where none was heard in windows.
    windows: Vec<Option<Windows<Stored>>>,
}

/// Where an embedding is stored: the number of the file, and the place in it.
type Stored = (u32, Place);

impl<Embedding> Entry<Embedding> {
    /// The same with another form of its embedding.
    fn map<Other>(self, mut other: impl FnMut(Embedding) -> Other) -> Entry<Other> {
        match self {
            Self::Piece { id, sha256 } => Entry::Piece { id, sha256 },
            Self::Text {
                arm,
                prompt,
                embedding,
            } => Entry::Text {
                arm,
                prompt,
                embedding: other(embedding),
            },
            Self::Audio {
                arm,
                id,
                embedding,
                crops,
                windows,
            } => Entry::Audio {
                arm,
                id,
                embedding: other(embedding),
                crops,
                windows: windows.map(|windows| Windows {
                    last: windows.last,
                    embeddings: other(windows.embeddings),
                }),
            },
            Self::Ran {
                arm,
                graph,
                nodes,
                build,
            } => Entry::Ran {
                arm,
                graph,
                nodes,
                build,
            },
        }
    }
}

impl Line {
    /// Where its embeddings end; 0 of a line without one, `None` where no file can have them.
    fn end(&self) -> Option<u64> {
        match self {
            Entry::Text { embedding, .. } => embedding.end(),
            Entry::Audio {
                embedding, windows, ..
            } => match windows {
                Some(windows) => Some(embedding.end()?.max(windows.embeddings.end()?)),
                None => embedding.end(),
            },
            Entry::Piece { .. } | Entry::Ran { .. } => Some(0),
        }
    }
}

/// What another process has finished, read and not looked at yet.
pub(super) struct Read {
    pub lines: Vec<Line>,
    vectors: PathBuf,
}

impl Read {
    /// Read the journal in `folder`, which another process may be writing.
    pub fn folder(folder: &Path) -> io::Result<Self> {
        let vectors = folder.join(VECTORS);
        // After the journal, whose lines are written after their embeddings.
        let mut lines: Vec<Line> = Vec::new();
        Lines::read(&folder.join(JOURNAL), |line| {
            lines.push(line);
            true
        })?;
        let length = vectors::length(&vectors)?;
        let whole = |line: &Line| line.end().is_some_and(|end| end <= length);
        lines.truncate(lines.iter().take_while(|line| whole(line)).count());
        Ok(Self { lines, vectors })
    }
}

impl Journal {
    /// Open the journal in `folder` and read what it holds; with `fresh`, empty it first.
    pub fn open(folder: &Path, fresh: bool) -> io::Result<Self> {
        let mut finished = Finished::default();
        let path = folder.join(VECTORS);
        let mut vectors = Vectors::open(&path, fresh)?;
        let file = finished.file(path);
        let mut used = 0;
        let lines = Lines::open(&folder.join(JOURNAL), fresh, |line: Line| {
            match line.end() {
                Some(end) if end <= vectors.length() => used = used.max(end),
                _ => return false,
            }
            finished.remember(file, line);
            true
        })?;
        // What a process that was killed wrote without a line for it.
        vectors.cut(used)?;
        Ok(Self {
            lines,
            vectors,
            finished,
        })
    }

    /// Take the lines of another process as finished too that `counts` says count.
    pub fn absorb(&mut self, read: Read, mut counts: impl FnMut(&Self, &Line) -> bool) {
        let file = self.finished.file(read.vectors);
        for line in read.lines {
            if counts(self, &line) {
                self.finished.remember(file, line);
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.lines.path()
    }

    /// Append lines in one write, and their embeddings before it in another; when one fails, none of them.
    pub fn add(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let before = self.vectors.length();
        let mut batch = self.vectors.batch();
        let placed = |entry: Entry| entry.map(|embedding| batch.place(&embedding));
        let lines: Vec<Line> = entries.into_iter().map(placed).collect();
        self.vectors.add(&batch)?;
        if let Err(e) = self.lines.add(&lines) {
            self.vectors.cut(before)?;
            return Err(e);
        }
        for line in lines {
            self.finished.remember(0, line);
        }
        Ok(())
    }

    /// The hash of a piece's file, if it was made.
    pub fn piece(&self, id: &str) -> Option<&str> {
        let key = self.finished.keys.get(id)?;
        self.finished.pieces.get(*key)?.as_deref()
    }

    /// Whether a piece has an embedding under an arm, by its key.
    pub fn has_clip(&self, arm: &str, key: &str) -> bool {
        self.finished.clip(arm, key).is_some()
    }

    /// Whether a text has an embedding under an arm.
    pub fn has_text(&self, arm: &str, text: &str) -> bool {
        self.finished.text(arm, text).is_some()
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

    /// The build of ONNX Runtime that ran the last graph.
    pub fn build(&self) -> Option<&str> {
        self.finished.build.as_deref()
    }
}

/// Those that are finished.
impl Embeddings for Journal {
    fn clips(&self, arm: &str, keys: &[&str]) -> Result<Vec<(Vec<f32>, Crops)>> {
        let found = keys.iter().map(|key| {
            let found = self.finished.clip(arm, key);
            found.ok_or_else(|| anyhow!("piece {key} has no embedding under arm '{arm}'"))
        });
        let (stored, crops): (Vec<Stored>, Vec<Crops>) =
            found.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        Ok(self
            .finished
            .read(&stored)?
            .into_iter()
            .zip(crops)
            .collect())
    }

    fn windows(&self, arm: &str, keys: &[&str]) -> Result<Vec<Windowed>> {
        let found = keys.iter().map(|key| {
            let found = self.finished.windows(arm, key);
            found.ok_or_else(|| anyhow!("piece {key} has no windows under arm '{arm}'"))
        });
        let found: Vec<Windows<Stored>> = found.collect::<Result<_>>()?;
        let stored: Vec<Stored> = found.iter().map(|windows| windows.embeddings).collect();
        let embeddings = self.finished.read(&stored)?.into_iter();
        Ok(found
            .iter()
            .zip(embeddings)
            .map(|(windows, embeddings)| Windowed {
                last: windows.last,
                embeddings,
            })
            .collect())
    }

    fn texts(&self, arm: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let found = texts.iter().map(|text| {
            let found = self.finished.text(arm, text);
            found.ok_or_else(|| anyhow!("the text {text:?} has no embedding under arm '{arm}'"))
        });
        self.finished.read(&found.collect::<Result<Vec<_>>>()?)
    }
}

impl Finished {
    /// The number of a file of embeddings.
    fn file(&mut self, path: PathBuf) -> u32 {
        self.files.push(path);
        (self.files.len() - 1) as u32
    }

    fn clip(&self, arm: &str, key: &str) -> Option<(Stored, Crops)> {
        let arm = self.arms.iter().find(|of| of.name == arm)?;
        *arm.clips.get(*self.keys.get(key)?)?
    }

    fn windows(&self, arm: &str, key: &str) -> Option<Windows<Stored>> {
        let arm = self.arms.iter().find(|of| of.name == arm)?;
        *arm.windows.get(*self.keys.get(key)?)?
    }

    fn text(&self, arm: &str, text: &str) -> Option<Stored> {
        let arm = self.arms.iter().find(|of| of.name == arm)?;
        *arm.texts.get(*self.texts.get(text)?)?
    }

    /// Each file is opened once and read from its beginning to its end, since a thousand processes may have written one each.
    fn read(&self, stored: &[Stored]) -> Result<Vec<Vec<f32>>> {
        let mut order: Vec<usize> = (0..stored.len()).collect();
        order.sort_by_key(|&i| (stored[i].0, stored[i].1.start()));
        let files: Vec<&[usize]> = order
            .chunk_by(|&a, &b| stored[a].0 == stored[b].0)
            .flat_map(|of_file| of_file.chunks(AT_ONCE))
            .collect();
        let found = files.par_iter().map(|of_file| {
            let places: Vec<Place> = of_file.iter().map(|&i| stored[i].1).collect();
            let path = &self.files[stored[of_file[0]].0 as usize];
            vectors::read(path, &places).with_context(|| {
                format!(
                    "cannot read {}; remove it, and the same command computes again what stood in it",
                    path.display()
                )
            })
        });
        let found = found.collect::<Result<Vec<_>>>()?;
        let mut read = vec![Vec::new(); stored.len()];
        for (i, embedding) in order.into_iter().zip(found.into_iter().flatten()) {
            read[i] = embedding;
        }
        Ok(read)
    }

    fn remember(&mut self, file: u32, line: Line) {
        match line {
            Entry::Piece { id, sha256 } => {
                let key = number(&mut self.keys, id);
                let made = &mut *at(&mut self.pieces, key);
                // Where a provider does not make the same piece twice, what was computed of the first one is void.
                if made.as_deref().is_some_and(|made| *made != *sha256) {
                    let clips = self
                        .arms
                        .iter_mut()
                        .filter_map(|arm| arm.clips.get_mut(key));
                    clips.for_each(|clip| *clip = None);
                }
                *made = Some(sha256.into());
            }
            Entry::Text {
                arm,
                prompt,
                embedding,
            } => {
                let text = number(&mut self.texts, prompt);
                *at(&mut self.arm(arm).texts, text) = Some((file, embedding));
            }
            Entry::Audio {
                arm,
                id,
                embedding,
                crops,
                windows,
            } => {
                let key = number(&mut self.keys, id);
                let arm = self.arm(arm);
                *at(&mut arm.clips, key) = Some(((file, embedding), crops));
                if let Some(windows) = windows {
                    *at(&mut arm.windows, key) = Some(Windows {
                        last: windows.last,
                        embeddings: (file, windows.embeddings),
                    });
                }
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

    fn arm(&mut self, name: String) -> &mut OfArm {
        let place = self.arms.iter().position(|arm| arm.name == name);
        let place = place.unwrap_or_else(|| {
            self.arms.push(OfArm {
                name,
                texts: Vec::new(),
                clips: Vec::new(),
                windows: Vec::new(),
            });
            self.arms.len() - 1
        });
        &mut self.arms[place]
    }
}

/// Embeddings that one thread reads.
const AT_ONCE: usize = 1024;

/// The number of a name: that which it has, or the next one.
fn number(numbers: &mut HashMap<Box<str>, usize>, name: String) -> usize {
    let next = numbers.len();
    *numbers.entry(name.into()).or_insert(next)
}

/// The place of a number, made if it is missing.
fn at<T: Clone>(list: &mut Vec<Option<T>>, number: usize) -> &mut Option<T> {
    if list.len() <= number {
        list.resize(number + 1, None);
    }
    &mut list[number]
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
            windows: Some(Windows {
                last: 9,
                embeddings: vec![0.5, 0.25],
            }),
        }
    }

    #[test]
    fn what_was_killed_half_way_is_cut_off_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JOURNAL);
        let mut journal = Journal::open(folder.path(), false).unwrap();
        journal.add(vec![entry("a")]).unwrap();
        journal.add(vec![entry("b")]).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut journal = Journal::open(folder.path(), false).unwrap();
            assert_eq!(journal.has_clip("on", "a"), cut > whole.len() / 2 - 1);
            assert!(!journal.has_clip("on", "b"));
            journal.add(vec![entry("b")]).unwrap();
            let again = Journal::open(folder.path(), false).unwrap();
            let (embedding, crops) = again.clips("on", &["b"]).unwrap().remove(0);
            assert_eq!(embedding, [0.1, -1e-9, 0.333_333_34]);
            assert_eq!(crops.offset, Some(7));
            let windows = again.windows("on", &["b"]).unwrap().remove(0);
            assert_eq!((windows.last, windows.embeddings), (9, vec![0.5, 0.25]));
        }
    }

    #[test]
    fn a_line_counts_only_when_its_embedding_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let vectors = folder.path().join(VECTORS);
        let mut journal = Journal::open(folder.path(), false).unwrap();
        journal.add(vec![entry("a"), entry("b")]).unwrap();
        let whole = std::fs::read(&vectors).unwrap();
        for cut in (0..=whole.len()).rev() {
            std::fs::write(&vectors, &whole[..cut]).unwrap();
            let read = Read::folder(folder.path()).unwrap();
            assert_eq!(read.lines.len(), 2 * cut / whole.len());
        }
        std::fs::write(&vectors, &whole[..whole.len() / 2 + 1]).unwrap();
        let mut journal = Journal::open(folder.path(), false).unwrap();
        assert!(journal.has_clip("on", "a") && !journal.has_clip("on", "b"));
        journal.add(vec![entry("c")]).unwrap();
        assert_eq!(std::fs::read(&vectors).unwrap(), whole);
        // A machine died, and left zeros.
        std::fs::write(&vectors, vec![0; whole.len()]).unwrap();
        let told = journal.clips("on", &["c", "a"]).unwrap_err().to_string();
        assert!(
            told.contains("remove it, and the same command computes again"),
            "{told}"
        );
        assert!(journal.clips("on", &["z"]).is_err());
    }

    #[test]
    fn lines_of_another_journal_count_where_they_are_wanted() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [mut own, mut other] = folders
            .each_ref()
            .map(|folder| Journal::open(folder.path(), false).unwrap());
        other.add(vec![entry("a"), entry("b")]).unwrap();
        own.add(vec![entry("c")]).unwrap();
        let read = Read::folder(folders[1].path()).unwrap();
        own.absorb(read, |own, line| {
            matches!(line, Entry::Audio { id, .. } if id == "b" && !own.has_clip("on", id))
        });
        assert!(!own.has_clip("on", "a"));
        let found = own.clips("on", &["b", "c", "b"]).unwrap();
        assert!(found.iter().all(|(embedding, _)| embedding[1] == -1e-9));
        // Only read: the next process begins without it.
        assert!(
            !Journal::open(folders[0].path(), false)
                .unwrap()
                .has_clip("on", "b")
        );
    }

    #[test]
    fn what_was_computed_of_another_file_is_void() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), false).unwrap();
        let made = |id: &str, sha256: &str| Entry::Piece {
            id: id.into(),
            sha256: sha256.into(),
        };
        let entries = vec![made("a", "1"), made("b", "1"), entry("a"), entry("b")];
        journal.add(entries).unwrap();
        journal.add(vec![made("a", "2"), made("b", "1")]).unwrap();
        for journal in [&journal, &Journal::open(folder.path(), false).unwrap()] {
            assert_eq!((journal.piece("a"), journal.piece("c")), (Some("2"), None));
            assert!(!journal.has_clip("on", "a") && journal.has_clip("on", "b"));
        }
    }

    #[test]
    fn fresh_forgets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JOURNAL);
        Journal::open(folder.path(), false)
            .unwrap()
            .add(vec![entry("a")])
            .unwrap();
        let journal = Journal::open(folder.path(), true).unwrap();
        assert!(!journal.has_clip("on", "a"));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}

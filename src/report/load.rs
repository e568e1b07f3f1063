//! Everything that a run folder has to say, read once.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::ReportError;
use super::inline_svg::{self, Drawing};
use crate::labels::{Labels, Said, Word};
use crate::notebook::{self, Notebook};
use crate::tables::cell::unguarded;
use crate::tables::manifest::{MANIFEST, ManifestError};
use crate::tables::table::{self, LARGEST_WITH_EMBEDDINGS};
use crate::tables::{
    self, ClusterRow, DistanceRow, DrawsRow, HistogramRow, MapRow, NearestRow, PromptRow, Row,
    SAMPLE, ScoreRow, SimilarityRow, SkippedRow, StatsRow, TextKind, WindowRow, WindowSpreadRow,
};

/// One run folder.
#[derive(Debug)]
pub struct Run {
    pub folder: PathBuf,
    /// What the page calls it.
    pub label: String,
    /// The address of its folder from the page's: empty, or ends in `/`.
    pub address: String,
    /// `null` for a folder without one.
    pub manifest: Value,
    /// What labels are called, and their order.
    pub labels: Labels,
    /// What the run keeps of its notebook.
    pub known: Option<Notebook>,
    /// All of them, or those of the sample of a large run.
    pub scores: Vec<ScoreRow>,
    pub sampled: bool,
    pub stats: Vec<StatsRow>,
    pub draws: Vec<DrawsRow>,
    /// Of pieces heard in windows; not of a large run.
    pub windows: Vec<WindowRow>,
    pub window_spread: Vec<WindowSpreadRow>,
    pub maps: Vec<MapRow>,
    pub clusters: Vec<ClusterRow>,
    pub similarity: Vec<SimilarityRow>,
    pub distances: Vec<DistanceRow>,
    pub nearest: Vec<NearestRow>,
    pub histogram: Vec<HistogramRow>,
    pub skipped: Vec<SkippedRow>,
    /// Of a run that embeds texts.
    pub texts: Vec<Text>,
    pub figures: Vec<Drawing>,
    /// Files to download, in the order in which they are listed.
    pub files: Vec<String>,
}

/// A row of the `embeddings.csv` of texts without its embedding, which is most of the file.
#[derive(Debug, Clone, Deserialize)]
pub struct Text {
    pub text: String,
    pub kind: TextKind,
    pub id: String,
}

/// What can be downloaded, if it is there.
const FILES: [&str; 22] = [
    ScoreRow::FILE,
    SAMPLE,
    StatsRow::FILE,
    DrawsRow::FILE,
    WindowRow::FILE,
    WindowSpreadRow::FILE,
    ClusterRow::FILE,
    DistanceRow::FILE,
    SimilarityRow::FILE,
    MapRow::FILE,
    "tsne.csv",
    NearestRow::FILE,
    HistogramRow::FILE,
    "embeddings.csv",
    "embeddings.npy",
    "text_embeddings.npy",
    PromptRow::FILE,
    "pieces.jsonl",
    SkippedRow::FILE,
    tables::manifest::MANIFEST,
    "diff.csv",
    "crops.csv",
];

impl Run {
    /// Read `folder`. The manifest is given, since a run writes it last.
    pub fn read(folder: &Path, manifest: &Value) -> Result<Self, ReportError> {
        let labels = Labels::of_manifest(manifest).map_err(|source| ManifestError::Parse {
            path: folder.join(MANIFEST),
            source,
        })?;
        let word = &labels.word;
        let sampled = folder.join(SAMPLE).exists();
        let scores: Vec<ScoreRow> = match sampled {
            true => tables::read(&folder.join(SAMPLE), word)?,
            false => optional(folder, word)?,
        };
        let nearest: Vec<NearestRow> = optional(folder, word)?;
        let is_texts = task_of(manifest) == Some("texts");
        if manifest.is_null() && scores.is_empty() && nearest.is_empty() {
            return Err(ReportError::NoRun {
                path: folder.to_owned(),
            });
        }
        let exists = |name: &&str| {
            // The manifest will be there: see `write`.
            *name == tables::manifest::MANIFEST && !manifest.is_null()
                || folder.join(name).is_file()
        };
        Ok(Self {
            folder: folder.to_owned(),
            label: label(folder, manifest),
            address: String::new(),
            manifest: manifest.clone(),
            known: notebook::kept(folder, word)?,
            scores,
            sampled,
            stats: optional(folder, word)?,
            draws: optional(folder, word)?,
            windows: match sampled {
                true => Vec::new(),
                false => optional(folder, word)?,
            },
            window_spread: optional(folder, word)?,
            maps: optional(folder, word)?,
            clusters: optional(folder, word)?,
            similarity: optional(folder, word)?,
            distances: optional(folder, word)?,
            nearest,
            histogram: optional(folder, word)?,
            skipped: optional(folder, word)?,
            texts: if is_texts { texts(folder)? } else { Vec::new() },
            figures: inline_svg::read_all(folder)?,
            files: FILES
                .iter()
                .filter(|n| exists(n))
                .map(|&n| n.to_owned())
                .collect(),
            labels,
        })
    }

    /// `clap_scores`, `generate`, `clusters`, `texts` or `compare`; nothing when the manifest does not say.
    pub fn task(&self) -> Option<&str> {
        task_of(&self.manifest)
    }

    /// Whether the numbers come from random weights, and mean nothing.
    pub fn is_random(&self) -> bool {
        self.manifest["random_weights"] == true
    }

    pub fn notebook(&self) -> Option<&str> {
        self.manifest["notebook"].as_str()
    }

    /// A sentence of this program with the run's word for labels.
    pub fn say(&self, sentence: &'static str) -> Said {
        self.labels.word.said(sentence)
    }

    /// A text of the manifest by its JSON pointer.
    pub fn said(&self, pointer: &str) -> Option<&str> {
        self.manifest.pointer(pointer)?.as_str()
    }

    /// The names of the conditions, in the order of the rows.
    pub fn conditions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.scores {
            if !names.contains(&row.condition()) {
                names.push(row.condition());
            }
        }
        names
    }

    /// How many pieces (of a comparison: items) have a score.
    pub fn pieces(&self) -> usize {
        let all = self.manifest["pieces"].as_u64().filter(|_| self.sampled);
        let sets = self.manifest["sets"].as_array().map_or(0, Vec::len);
        match all.and_then(|all| usize::try_from(all).ok()) {
            Some(all) => all / sets.max(1),
            None => self.shown(),
        }
    }

    /// How many of them the page has.
    pub fn shown(&self) -> usize {
        let ids: std::collections::HashSet<&str> =
            self.scores.iter().map(|row| row.id.as_str()).collect();
        ids.len()
    }
}

fn task_of(manifest: &Value) -> Option<&str> {
    manifest.pointer("/settings/task")?.as_str()
}

fn label(folder: &Path, manifest: &Value) -> String {
    let of_folder = || folder.file_name().map(|n| n.to_string_lossy().into_owned());
    let named = manifest["experiment"].as_str().map(str::to_owned);
    named.or_else(of_folder).unwrap_or_else(|| "run".to_owned())
}

/// The rows of a file that only some runs have.
fn optional<T: Row>(folder: &Path, word: &Word) -> Result<Vec<T>, ReportError> {
    let path = folder.join(T::FILE);
    Ok(match path.exists() {
        true => tables::read(&path, word)?,
        false => Vec::new(),
    })
}

fn texts(folder: &Path) -> Result<Vec<Text>, ReportError> {
    let path = folder.join("embeddings.csv");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let broken = |source: csv::Error| ReportError::Texts {
        path: path.clone(),
        source,
    };
    let mut csv = table::reader(&path, LARGEST_WITH_EMBEDDINGS)?;
    csv.deserialize::<Text>()
        .map(|row| {
            row.map_err(broken).map(|row| Text {
                text: unguarded(&row.text).to_owned(),
                id: unguarded(&row.id).to_owned(),
                ..row
            })
        })
        .collect()
}

/// The manifest in a run folder; `null` when there is none.
pub fn manifest(folder: &Path) -> Result<Value, ReportError> {
    if !fs::metadata(folder).is_ok_and(|found| found.is_dir()) {
        return Err(ReportError::NoRun {
            path: folder.to_owned(),
        });
    }
    Ok(tables::manifest::read(folder)?.unwrap_or(Value::Null))
}

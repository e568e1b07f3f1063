//! A finished run, as tables and references see it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::PaperError;
use crate::labels::Labels;
use crate::statistics;
use crate::tables::manifest::{self, ManifestError};
use crate::tables::{self, EMBEDDINGS_NPY, EmbeddingRow, Row, ScoreRow, StatsRow};

/// Of an unfinished run: what it has finished so far.
const JOURNAL: &str = ".journal.jsonl";
/// Of the hash of a run's settings, as folders are called by.
const SHORT: usize = 12;

/// Said of a run whose checkpoints hold random numbers.
pub const WARNING: &str = "random weights: the numbers mean nothing";

pub struct Run {
    pub folder: PathBuf,
    /// Its experiment, or its folder where several runs have that name.
    pub label: String,
    pub manifest: Value,
    pub labels: Labels,
}

impl Run {
    /// Each folder once, in the order given.
    pub fn open_all(folders: &[PathBuf]) -> Result<Vec<Self>, PaperError> {
        let mut seen = HashSet::new();
        let real = |folder: &PathBuf| fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
        let folders = folders.iter().filter(|folder| seen.insert(real(folder)));
        let mut runs = folders
            .map(|f| Self::open(f))
            .collect::<Result<Vec<_>, _>>()?;
        let mut count: HashMap<String, usize> = HashMap::new();
        for run in &runs {
            *count.entry(run.label.clone()).or_default() += 1;
        }
        for run in &mut runs {
            if count.get(&run.label).is_some_and(|n| *n > 1) {
                run.label = run.folder.display().to_string();
            }
        }
        Ok(runs)
    }

    /// The finished run in `folder`.
    pub fn open(folder: &Path) -> Result<Self, PaperError> {
        let path = folder.to_owned();
        let is_folder = fs::metadata(folder).is_ok_and(|found| found.is_dir());
        let manifest = match is_folder {
            true => manifest::read(folder)?,
            false => None,
        };
        let Some(manifest) = manifest else {
            let results = [
                JOURNAL,
                ScoreRow::FILE,
                EmbeddingRow::FILE,
                EMBEDDINGS_NPY,
                StatsRow::FILE,
            ];
            return Err(
                match results.iter().any(|name| folder.join(name).exists()) {
                    true => PaperError::Unfinished { path },
                    false => PaperError::NoRun { path },
                },
            );
        };
        let of_folder = || folder.file_name().map(|n| n.to_string_lossy().into_owned());
        let named = manifest["experiment"].as_str().map(str::to_owned);
        Ok(Self {
            labels: Labels::of_manifest(&manifest).map_err(|source| ManifestError::Parse {
                path: folder.join(manifest::MANIFEST),
                source,
            })?,
            label: named.or_else(of_folder).unwrap_or_else(|| "run".to_owned()),
            folder: path,
            manifest,
        })
    }

    /// Whether the numbers come from random weights, and mean nothing.
    pub fn is_random(&self) -> bool {
        self.manifest["random_weights"] == true
    }

    /// A text of the manifest by its JSON pointer.
    pub fn said(&self, pointer: &str) -> Option<&str> {
        self.manifest.pointer(pointer)?.as_str()
    }

    /// `weights (runs/weights), identity 246aa47424df, seed 0, computed by harness 0.1.0`, as far as known.
    pub fn origin(&self) -> String {
        let mut parts = vec![format!("{} ({})", self.label, self.folder.display())];
        parts.extend(self.said("/identity").map(|hash| {
            let short: String = hash.chars().take(SHORT).collect();
            format!("identity {short}")
        }));
        parts.extend(
            self.manifest["seed"]
                .as_u64()
                .map(|seed| format!("seed {seed}")),
        );
        parts.extend(
            self.said("/harness/version")
                .map(|version| format!("computed by harness {version}")),
        );
        parts.join(", ")
    }

    /// The rows of a file that only some runs have.
    pub fn optional<T: Row>(&self) -> Result<Vec<T>, PaperError> {
        let path = self.folder.join(T::FILE);
        Ok(match path.exists() {
            true => tables::read(&path, &self.labels.word)?,
            false => Vec::new(),
        })
    }

    /// The rows of `stats.csv`, or without it the same from `scores.csv`; none of a run without scores.
    pub fn stats(&self) -> Result<Vec<StatsRow>, PaperError> {
        if self.folder.join(StatsRow::FILE).exists() {
            return self.optional();
        }
        let scores: Vec<ScoreRow> = self.optional()?;
        let seed = self.manifest["seed"].as_u64().unwrap_or(0);
        statistics::stats(&scores, seed, &self.labels).map_err(|source| PaperError::Stats {
            path: self.folder.join(ScoreRow::FILE),
            source,
        })
    }
}

//! The few keys of a run's `manifest.json` that figures show. All are optional, and so is the file.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

use super::FigureError;
use crate::labels::Labels;
use crate::tables::manifest::{self, MANIFEST, ManifestError};
use crate::words::counted;

#[derive(Debug, Default, Deserialize)]
pub struct Manifest {
    experiment: Option<String>,
    pub seed: Option<u64>,
    /// The checkpoints hold random numbers (`--demo`), so the scores mean nothing.
    #[serde(default)]
    pub random_weights: bool,
    harness: Option<Program>,
    #[serde(default)]
    arms: Vec<ArmEntry>,
    #[serde(default)]
    maps: Vec<MapEntry>,
    settings: Option<Settings>,
    #[serde(skip)]
    labels: Labels,
    /// Of the run, which shows a sample of them where it is large.
    #[serde(default)]
    pub pieces: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Program {
    version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ArmEntry {
    name: String,
    checkpoint: Option<String>,
}

/// How a map was made.
#[derive(Debug, Deserialize)]
struct MapEntry {
    map: String,
    perplexity_asked: Option<f64>,
    perplexity: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Settings {
    task: Option<String>,
}

impl Manifest {
    /// The manifest of `run_dir`, or one without values when there is none.
    pub fn read(run_dir: &Path) -> Result<Self, FigureError> {
        match manifest::read(run_dir)? {
            Some(manifest) => Self::of(run_dir, &manifest),
            None => Ok(Self::default()),
        }
    }

    /// One that is going to be written into `run_dir`.
    pub fn of(run_dir: &Path, manifest: &serde_json::Value) -> Result<Self, FigureError> {
        let read = Self::deserialize(manifest).and_then(|read| {
            let labels = Labels::of_manifest(manifest)?;
            Ok(Self { labels, ..read })
        });
        Ok(read.map_err(|source| ManifestError::Parse {
            path: run_dir.join(MANIFEST),
            source,
        })?)
    }

    /// `weights · 100 pieces · seed 0 · harness 0.1.0`, as far as known.
    pub fn caption(&self, what: Option<&str>) -> String {
        let version = self.harness.as_ref().and_then(|h| h.version.as_ref());
        let parts = [
            self.experiment.clone(),
            what.map(str::to_owned),
            self.seed.map(|seed| format!("seed {seed}")),
            version.map(|version| format!("harness {version}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// The checkpoint file of an arm, without its folders.
    pub fn checkpoint(&self, arm: &str) -> Option<&str> {
        let entry = self.arms.iter().find(|entry| entry.name == arm)?;
        let path = entry.checkpoint.as_deref()?;
        path.trim_end_matches('/').rsplit('/').next()
    }

    /// `3 checkpoints`, or `3 arms` where the manifest does not say that each arm has one of its own.
    pub fn counted_arms(&self, arms: &HashSet<&str>) -> String {
        let own: HashSet<&str> = arms.iter().filter_map(|a| self.checkpoint(a)).collect();
        match own.len() == arms.len() {
            true => counted(arms.len(), "checkpoint"),
            false => counted(arms.len(), "arm"),
        }
    }

    /// `perplexity 30`, or what it was lowered to.
    pub fn perplexity(&self, map: &str) -> Option<String> {
        let entry = self.maps.iter().find(|entry| entry.map == map)?;
        let perplexity = entry.perplexity?;
        let shown = (perplexity * 10.0).round() / 10.0;
        match entry.perplexity_asked {
            Some(asked) if asked > perplexity => {
                Some(format!("perplexity lowered to {shown} from {asked}"))
            }
            _ => Some(format!("perplexity {shown}")),
        }
    }

    /// Whether the run embeds texts and scores nothing.
    pub fn is_of_texts(&self) -> Option<bool> {
        let task = self.settings.as_ref()?.task.as_deref()?;
        Some(task == "texts")
    }

    /// What labels are called, and their order.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

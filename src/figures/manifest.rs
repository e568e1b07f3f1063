//! The few keys of a run's `manifest.json` that figures show. All are optional, and so is the file.

use std::path::Path;

use serde::Deserialize;

use super::FigureError;
use crate::report::manifest::{self, MANIFEST, ManifestError};

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
        Ok(
            Self::deserialize(manifest).map_err(|source| ManifestError::Parse {
                path: run_dir.join(MANIFEST),
                source,
            })?,
        )
    }

    /// `weights · 100 pieces · seed 0 · harness 0.1.0`, as far as known.
    pub fn caption(&self, pieces: usize) -> String {
        let noun = if pieces == 1 { "piece" } else { "pieces" };
        let version = self.harness.as_ref().and_then(|h| h.version.as_ref());
        let parts = [
            self.experiment.clone(),
            Some(format!("{pieces} {noun}")),
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
}

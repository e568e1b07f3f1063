//! An experiment as people write it.

use serde::Deserialize;

use super::{CropPolicy, Task};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExperiment {
    pub experiment: String,
    pub notebook: Option<String>,
    pub task: Task,
    pub audio: RawAudio,
    #[serde(default)]
    pub tastes: Vec<String>,
    pub arms: Vec<RawArm>,
    #[serde(default)]
    pub crops: CropPolicy,
    #[serde(default)]
    pub seed: u64,
    pub limit: Option<u64>,
}

/// Either `files` with `text`, or `csv`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudio {
    pub files: Option<String>,
    pub text: Option<String>,
    pub csv: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArm {
    pub name: String,
    pub model: String,
}

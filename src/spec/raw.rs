//! An experiment as people write it: one struct a task, so that a key of another task is an unknown one.

use serde::Deserialize;

use super::{CropPolicy, Task};

/// Which of the others to read.
#[derive(Debug, Deserialize)]
pub(super) struct RawTask {
    pub task: Task,
}

/// `task: clap_scores`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScores {
    pub experiment: String,
    pub notebook: Option<String>,
    #[serde(rename = "task")]
    _task: Task,
    pub audio: RawAudio,
    #[serde(default)]
    pub tastes: Vec<String>,
    pub arms: Vec<RawArm>,
    #[serde(default)]
    pub crops: CropPolicy,
    pub seed: Option<u64>,
    pub limit: Option<u64>,
}

/// One of `files` with `text`, `csv`, and `from`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudio {
    pub from: Option<String>,
    pub files: Option<String>,
    pub text: Option<String>,
    pub csv: Option<String>,
}

/// `task: generate`. The defaults are those of the notebooks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGenerate {
    pub experiment: String,
    pub notebook: Option<String>,
    #[serde(rename = "task")]
    _task: Task,
    pub model: String,
    pub prompts: RawPrompts,
    #[serde(default)]
    pub tastes: Vec<String>,
    #[serde(default = "one_draw")]
    pub draws: u64,
    #[serde(default = "notebook::duration_s")]
    pub duration_s: f64,
    #[serde(default = "notebook::guidance")]
    pub guidance: f64,
    #[serde(default = "notebook::temperature")]
    pub temperature: f64,
    #[serde(default = "notebook::top_k")]
    pub top_k: u64,
    #[serde(default = "notebook::top_p")]
    pub top_p: f64,
    pub arms: Vec<RawArm>,
    #[serde(default)]
    pub crops: CropPolicy,
    pub seed: Option<u64>,
    pub limit: Option<u64>,
}

fn one_draw() -> u64 {
    1
}

/// What the notebooks generate with: transformers' text-to-audio pipeline and the model's generation config.
mod notebook {
    /// `max_length` 1500: 1,496 frames of 20 ms.
    pub fn duration_s() -> f64 {
        29.92
    }

    pub fn guidance() -> f64 {
        3.0
    }

    pub fn temperature() -> f64 {
        1.0
    }

    pub fn top_k() -> u64 {
        50
    }

    pub fn top_p() -> f64 {
        1.0
    }
}

/// `text`, or descriptions by `path` or by `url` and `sha256`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrompts {
    pub text: Option<String>,
    pub path: Option<String>,
    pub url: Option<String>,
    pub sha256: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArm {
    pub name: String,
    pub model: String,
}

//! An experiment as people write it: one struct a task, so that a key of another task is an unknown one.

use analysis::tsne::TsneSettings;
use serde::Deserialize;

use super::{CropPolicy, Task};

/// Which of the others to read.
#[derive(Debug, Deserialize)]
pub(super) struct RawTask {
    pub task: Task,
}

/// The struct of a task: the keys that every task has around its own, in the order in which errors list them.
macro_rules! task_keys {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* } $({ $($last:tt)* })?) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            pub experiment: String,
            pub notebook: Option<String>,
            #[serde(rename = "task")]
            _task: Task,
            $($own)*
            pub seed: Option<u64>,
            pub limit: Option<u64>,
            $($($last)*)?
        }
    };
}

task_keys! {
    /// `task: clap_scores`.
    RawScores {
        pub audio: RawAudio,
        #[serde(default)]
        pub tastes: Vec<String>,
        pub arms: Vec<RawArm>,
        #[serde(default)]
        pub crops: CropPolicy,
    } {
        #[serde(default)]
        pub tsne: RawTsne,
    }
}

task_keys! {
    /// `task: clusters`.
    RawClusters {
        pub audio: RawAudio,
        pub tastes: Vec<String>,
        pub arms: Vec<RawArm>,
        #[serde(default)]
        pub pieces_per_taste: Vec<u64>,
        #[serde(default = "ten_thousand")]
        pub permutations: u64,
        #[serde(default)]
        pub crops: CropPolicy,
    } {
        #[serde(default)]
        pub tsne: RawTsne,
    }
}

fn ten_thousand() -> u64 {
    10_000
}

task_keys! {
    /// `task: compare`.
    RawCompare {
        pub sets: Vec<RawSet>,
        pub text: Option<String>,
        #[serde(default)]
        pub tastes: Vec<String>,
        pub arms: Vec<RawArm>,
        #[serde(default = "ten_thousand")]
        pub permutations: u64,
        #[serde(default)]
        pub crops: CropPolicy,
    } {
        #[serde(default)]
        pub tsne: RawTsne,
    }
}

/// One of `from`, `files` and `csv`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSet {
    pub name: String,
    pub from: Option<String>,
    pub files: Option<String>,
    pub csv: Option<String>,
}

task_keys! {
    /// `task: texts`.
    RawTexts {
        pub captions: RawCaptions,
        pub model: String,
        #[serde(default)]
        pub queries: Vec<String>,
        #[serde(default = "ten")]
        pub nearest: u64,
    } {
        #[serde(default)]
        pub tsne: RawTsne,
    }
}

fn ten() -> u64 {
    10
}

/// A CSV by `path`, or by `hub` and `file`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCaptions {
    pub hub: Option<String>,
    pub file: Option<String>,
    pub revision: Option<String>,
    pub sha256: Option<String>,
    pub path: Option<String>,
}

/// How maps are made; the defaults are those of the notebook TSNEEnableFusion.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTsne {
    pub pca_components: u64,
    pub perplexity: f64,
    pub learning_rate: f64,
    pub iterations: u64,
}

impl Default for RawTsne {
    fn default() -> Self {
        let settings = TsneSettings::default();
        Self {
            pca_components: settings.pca_components as u64,
            perplexity: settings.perplexity,
            learning_rate: settings.learning_rate,
            iterations: settings.iterations as u64,
        }
    }
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

task_keys! {
    /// `task: generate`. The defaults are those of the notebooks.
    RawGenerate {
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
    }
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

/// `text`, or descriptions by `path` or by `url` and `sha256`, which `rewrite` makes other prompts of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrompts {
    pub text: Option<String>,
    pub rewrite: Option<String>,
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

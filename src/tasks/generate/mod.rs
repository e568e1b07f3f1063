//! `task: generate`: pieces from prompts, and the score of each against its own.

mod checks;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use strict_yaml::Document;

use super::keys::task_keys;
use crate::experiment::{Drafted, Heard, Input, Kind, Overrides, Source, Task};
use crate::results::{Computed, Results, scored};
use crate::spec::checks::{RawArm, arms, check_label};
use crate::spec::template::Template;
use crate::spec::tsne::RawTsne;
use crate::spec::{Generation, HeardParts, Prompts, SpecError, generation};

pub(super) const KIND: Kind = Kind { name: NAME, read };
const NAME: &str = "generate";

task_keys! {
    /// As written. The defaults are those of the notebooks.
    Keys {
        model: String,
        prompts: RawPrompts,
        #[serde(default)]
        tastes: Vec<String>,
        #[serde(default = "one_draw")]
        draws: u64,
        #[serde(default = "notebook::duration_s")]
        duration_s: f64,
        #[serde(default = "notebook::guidance")]
        guidance: f64,
        #[serde(default = "notebook::temperature")]
        temperature: f64,
        #[serde(default = "notebook::top_k")]
        top_k: u64,
        #[serde(default = "notebook::top_p")]
        top_p: f64,
        arms: Vec<RawArm>,
        #[serde(default)]
        crops: HeardParts,
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
struct RawPrompts {
    text: Option<String>,
    rewrite: Option<String>,
    path: Option<String>,
    url: Option<String>,
    sha256: Option<String>,
}

/// What only such experiments have.
#[derive(Debug, Serialize)]
struct Generate {
    generation: Generation,
}

fn read(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let keys: Keys = document.to()?;
    let head = keys.head(document, overrides)?;
    check_label(document, "model", &keys.model)?;
    let mut generation = checks::resolve(document, &keys, &head.word)?;
    let shrunk = match &overrides.demo {
        Some(shrink) => checks::shrink(&mut generation, document, shrink),
        None => Vec::new(),
    };
    let labels = head.labels(document, keys.tastes)?;
    let draws = generation.draws;
    let source = match (&generation.prompts, &generation.rewrite) {
        (Prompts::Text(text), _) => Source::Template(
            generation::template(document, text, &labels.order, &labels.word)?,
            draws,
        ),
        (prompts, rewrite) => {
            let key = "prompts.rewrite";
            let rewrite = rewrite
                .as_ref()
                .map(|text| Template::parse(key, text, &labels.word));
            Source::Descriptions {
                prompts: prompts.clone(),
                rewrite: rewrite
                    .transpose()
                    .map_err(|message| document.invalid(key, message))?,
                draws,
            }
        }
    };
    let heard = Heard {
        labels,
        arms: arms(document, keys.arms)?,
        crops: keys.crops.checked(document)?,
        // Another map is no reason to make the pieces again: `clusters` has the key.
        tsne: RawTsne::default(),
    };
    let task = Generate { generation };
    let drafted = head.drafted(document, heard, task, source)?;
    Ok(Drafted { shrunk, ..drafted })
}

impl Task for Generate {
    fn name(&self) -> &'static str {
        NAME
    }

    // The prompts and their draws count through the pieces.
    fn not_counted(&self) -> &'static [&'static str] {
        &[
            "generation.draws",
            "generation.prompts",
            "generation.rewrite",
        ]
    }

    fn input(&self) -> Input<'_> {
        Input::Made(&self.generation)
    }

    fn results(&self, run: &Computed<'_>) -> Result<Results> {
        scored::of_pieces(run)
    }
}

//! `task: clap_scores`: the cosine of each piece's audio embedding and its prompt's text embedding, per arm.

use anyhow::Result;
use serde::Serialize;
use strict_yaml::Document;

use super::keys::task_keys;
use crate::experiment::{Drafted, Heard, Input, Kind, Overrides, Source, Task};
use crate::results::{Computed, Results, scored};
use crate::spec::audio::{self, RawAudio};
use crate::spec::checks::{RawArm, arms};
use crate::spec::tsne::RawTsne;
use crate::spec::{Audio, HeardParts, SpecError};

pub(super) const KIND: Kind = Kind { name: NAME, read };
const NAME: &str = "clap_scores";

task_keys! {
    /// As written.
    Keys {
        audio: RawAudio,
        #[serde(default)]
        tastes: Vec<String>,
        arms: Vec<RawArm>,
        #[serde(default)]
        crops: HeardParts,
    } {
        #[serde(default)]
        tsne: RawTsne,
    }
}

/// What only such experiments have.
#[derive(Debug, Serialize)]
struct ClapScores {
    audio: Audio,
}

fn read(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let keys: Keys = document.to()?;
    let head = keys.head(document, overrides)?;
    let labels = head.labels(document, keys.tastes)?;
    let (audio, found) = audio::resolve(document, keys.audio, &labels)?;
    let heard = Heard {
        labels,
        arms: arms(document, keys.arms)?,
        crops: keys.crops.checked(document)?,
        tsne: keys.tsne,
    };
    let task = ClapScores { audio };
    head.drafted(document, heard, task, Source::Found(found))
}

impl Task for ClapScores {
    fn name(&self) -> &'static str {
        NAME
    }

    fn not_counted(&self) -> &'static [&'static str] {
        &["audio"]
    }

    fn input(&self) -> Input<'_> {
        Input::Found(&self.audio)
    }

    fn results(&self, run: &Computed<'_>) -> Result<Results> {
        scored::of_pieces(run)
    }
}

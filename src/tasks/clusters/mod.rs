//! `task: clusters`: the scores of pieces, and how well each arm's embeddings separate the tastes.

mod joint;
mod told;

use anyhow::Result;
use serde::Serialize;
use strict_yaml::Document;

use super::keys::task_keys;
use crate::experiment::{Drafted, Heard, Input, Kind, Overrides, Source, Task};
use crate::labels::Word;
use crate::results::scored::{Scored, largest, separation, smaller};
use crate::results::write::write_or_remove;
use crate::results::{Computed, ComputedArm, Results};
use crate::spec::audio::{self, RawAudio};
use crate::spec::checks::{RawArm, arms};
use crate::spec::clusters::{self, Clusters as Settings};
use crate::spec::tsne::RawTsne;
use crate::spec::{Audio, HeardParts, SpecError};
use crate::tables::{Row, TsneRow};

pub(super) const KIND: Kind = Kind { name: NAME, read };
const NAME: &str = "clusters";

task_keys! {
    /// As written.
    Keys {
        audio: RawAudio,
        tastes: Vec<String>,
        arms: Vec<RawArm>,
        #[serde(default)]
        pieces_per_taste: Vec<u64>,
        #[serde(default = "clusters::permutations")]
        permutations: u64,
        #[serde(default)]
        crops: HeardParts,
    } {
        #[serde(default)]
        tsne: RawTsne,
    }
}

/// What only such experiments have.
#[derive(Debug, Serialize)]
struct Clusters {
    audio: Audio,
    clusters: Settings,
}

fn read(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let keys: Keys = document.to()?;
    let head = keys.head(document, overrides)?;
    let labels = head.labels(document, keys.tastes)?;
    let word = &labels.word;
    let clusters = clusters::resolve(document, &keys.pieces_per_taste, keys.permutations, word)?;
    if labels.order.len() < 2 {
        let message =
            word.said("'tastes' needs at least two: what is measured is how far they lie apart");
        return Err(document.invalid("tastes", message).into());
    }
    let (audio, found) = audio::resolve(document, keys.audio, &labels)?;
    let heard = Heard {
        labels,
        arms: arms(document, keys.arms)?,
        crops: keys.crops.checked(document)?,
        tsne: keys.tsne,
    };
    let task = Clusters { audio, clusters };
    head.drafted(document, heard, task, Source::Found(found))
}

impl Task for Clusters {
    fn name(&self) -> &'static str {
        NAME
    }

    fn not_counted(&self) -> &'static [&'static str] {
        &["audio"]
    }

    fn input(&self) -> Input<'_> {
        Input::Found(&self.audio)
    }

    fn plan(&self, word: &Word) -> Vec<(&'static str, String)> {
        let Settings {
            pieces_per_taste,
            permutations,
        } = &self.clusters;
        let subsets: Vec<String> = pieces_per_taste.iter().map(usize::to_string).collect();
        let subsets = match subsets.as_slice() {
            [] => String::new(),
            subsets => {
                let each = word.said("of each taste");
                format!(" and of the first {} {each}", subsets.join(", "))
            }
        };
        let text = format!("of all pieces{subsets}, {permutations} permutations a test");
        vec![("clusters", text)]
    }

    fn results(&self, run: &Computed<'_>) -> Result<Results> {
        let scored = Scored::write(run)?;
        let word = &run.labels.word;
        let (conditions, tastes) = (scored.conditions(), scored.tastes());
        let subsets = smaller(&self.clusters.pieces_per_taste, &conditions, &tastes);
        let all = largest(&conditions, &tastes);
        let joint = match conditions.len() {
            0 | 1 => Vec::new(),
            _ => [&subsets[..], &[all]].concat(),
        };
        let found = separation(run, &conditions, &tastes, &self.clusters, &joint)?;
        found.maps.tell();
        let tsne = match joint.is_empty() {
            true => Vec::new(),
            false => {
                let fusion = |arm: &ComputedArm<'_>| arm.fusion;
                let fusion: Vec<Option<bool>> = run.arms.iter().map(fusion).collect();
                joint::rows(&conditions, &fusion, &found.maps, all, word)
            }
        };
        write_or_remove(&run.folder.join(TsneRow::FILE), &tsne, word)?;
        let scores = scored.told();
        Ok(Results {
            maps: found.maps.records,
            told: scores + &told::separation(&found.clusters, word),
        })
    }
}

#[cfg(test)]
mod tests;

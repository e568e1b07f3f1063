//! `task: compare`: two sets of pieces for the same items, item by item and as a whole.

mod distances;
mod told;

use anyhow::Result;
use foreign::{Foreign, words};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use strict_yaml::Document;

use super::keys::task_keys;
use crate::experiment::{Drafted, Heard, Input, Kind, Overrides, Source, Task};
use crate::labels::Word;
use crate::results::scored::{Scored, separation};
use crate::results::write::write_or_remove;
use crate::results::{Computed, Results};
use crate::spec::audio::{self, RawAudio};
use crate::spec::checks::{RawArm, arms, check_label};
use crate::spec::clusters::{self, Clusters};
use crate::spec::template::Template;
use crate::spec::tsne::RawTsne;
use crate::spec::{HeardParts, PieceSet, SpecError, check_file_id};
use crate::tables::{DistanceRow, Row};

pub(super) const KIND: Kind = Kind { name: NAME, read };
const NAME: &str = "compare";

task_keys! {
    /// As written.
    Keys {
        sets: Vec<RawSet>,
        text: Option<String>,
        #[serde(default)]
        tastes: Vec<String>,
        arms: Vec<RawArm>,
        #[serde(default = "clusters::permutations")]
        permutations: u64,
        #[serde(default)]
        crops: HeardParts,
    } {
        #[serde(default)]
        tsne: RawTsne,
    }
}

/// One of `from`, `files` and `csv`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSet {
    name: String,
    from: Option<String>,
    files: Option<String>,
    csv: Option<String>,
    columns: Option<BTreeMap<String, String>>,
}

/// What only such experiments have.
#[derive(Debug, Serialize)]
struct Compare {
    /// Two.
    sets: Vec<PieceSet>,
    /// What the pieces are scored against, instead of their own prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Without subsets.
    clusters: Clusters,
}

fn read(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let keys: Keys = document.to()?;
    let head = keys.head(document, overrides)?;
    if keys.sets.len() != 2 {
        let message = words!(
            "'sets' has {} entries; two sets are compared",
            keys.sets.len()
        );
        return Err(document.invalid("sets", message).into());
    }
    let labels = head.labels(document, keys.tastes)?;
    let clusters = clusters::resolve(document, &[], keys.permutations, &labels.word)?;
    let arms = arms(document, keys.arms)?;
    let (mut sets, mut found) = (Vec::new(), Vec::new());
    for (i, set) in keys.sets.into_iter().enumerate() {
        let key = format!("sets.{i}.name");
        check_label(document, &key, &set.name)?;
        // It names a folder of the report's audio, and stands before the `/` of a piece's key.
        check_file_id(&set.name).map_err(|message| document.invalid(&key, message))?;
        if sets.iter().any(|other: &PieceSet| other.name == set.name) {
            let message = words!("two sets are called '{}'", Foreign::new(&set.name));
            return Err(document.invalid(&key, message).into());
        }
        let raw = RawAudio {
            from: set.from,
            files: set.files,
            csv: set.csv,
            columns: set.columns,
            text: keys.text.clone(),
        };
        let key = format!("sets.{i}");
        let (audio, of_set) = audio::resolve_set(document, &key, raw, &labels)?;
        found.push((set.name.clone(), of_set));
        sets.push(PieceSet {
            name: set.name,
            audio,
        });
    }
    let names = sets.iter().flat_map(|set| {
        arms.iter()
            .map(move |arm| format!("{}, {}", set.name, arm.name))
    });
    let mut seen = HashSet::new();
    if let Some(twice) = names.into_iter().find(|name| !seen.insert(name.clone())) {
        let message = words!(
            "two sets under their arms would both be called '{}'; rename a set",
            Foreign::new(&twice)
        );
        return Err(document.invalid("sets", message).into());
    }
    let text = keys.text.as_deref();
    let text = text
        .map(|text| Template::parse("text", text, &labels.word))
        .transpose()
        .map_err(|message| document.invalid("text", message))?;
    let heard = Heard {
        labels,
        arms,
        crops: keys.crops.checked(document)?,
        tsne: keys.tsne,
    };
    let task = Compare {
        sets,
        text: keys.text,
        clusters,
    };
    let source = Source::Sets { sets: found, text };
    head.drafted(document, heard, task, source)
}

impl Task for Compare {
    fn name(&self) -> &'static str {
        NAME
    }

    fn not_counted(&self) -> &'static [&'static str] {
        &["sets.*.audio"]
    }

    fn input(&self) -> Input<'_> {
        Input::Sets(&self.sets)
    }

    fn plan(&self, _: &Word) -> Vec<(&'static str, String)> {
        let names: Vec<&str> = self.sets.iter().map(|set| set.name.as_str()).collect();
        let text = format!(
            "{}, {} permutations a test",
            names.join(" less "),
            self.clusters.permutations
        );
        vec![("compared", text)]
    }

    fn results(&self, run: &Computed<'_>) -> Result<Results> {
        let scored = Scored::write(run)?;
        let (conditions, tastes) = (scored.conditions(), scored.tastes());
        let found = separation(run, &conditions, &tastes, &self.clusters, &[])?;
        let permutations = self.clusters.permutations;
        let distances = distances::distances(&conditions, &tastes, permutations, run.seed);
        write_or_remove(
            &run.folder.join(DistanceRow::FILE),
            &distances,
            &run.labels.word,
        )?;
        let told = scored.told() + &told::paired(&scored.stats) + &told::apart(&distances);
        Ok(Results {
            maps: found.maps.records,
            told,
        })
    }
}

#[cfg(test)]
mod tests;

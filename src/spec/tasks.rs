//! The settings of an experiment, task by task.

use std::collections::HashSet;

use foreign::Foreign;
use foreign::words;
use strict_yaml::{Document, YamlError};

use super::audio;
use super::checks::{arms, check_label, check_name, limit, tastes};
use super::generation::{self, Prompts};
use super::pieces::check_file_id;
use super::raw::{
    RawArm, RawAudio, RawClusters, RawCompare, RawGenerate, RawScores, RawTexts, RawTsne,
};
use super::source::Source;
use super::template::Template;
use super::{
    Clusters, CropPolicy, Experiment, Overrides, PieceSet, SpecError, Task, Texts, captions, tsne,
};

/// Beyond these a number was mistyped.
const MOST_PERMUTATIONS: u64 = 1_000_000;
const MOST_QUERIES: usize = 1_000;
const MOST_NEAREST: u64 = 1_000;

/// Settings, whether the seed is nobody's, and what the pieces are made from.
pub(super) type Drafted = (Experiment, bool, Source);

/// What a file of every task says.
struct Common {
    experiment: String,
    notebook: Option<String>,
    task: Task,
    tastes: Vec<String>,
    arms: Vec<RawArm>,
    crops: CropPolicy,
    seed: Option<u64>,
    limit: Option<u64>,
    tsne: RawTsne,
}

impl Common {
    fn resolve(
        self,
        document: &Document,
        overrides: &Overrides,
    ) -> Result<(Experiment, bool), SpecError> {
        check_name(document, &self.experiment)?;
        let seed = overrides.seed.or(self.seed);
        let experiment = Experiment {
            name: self.experiment,
            notebook: self.notebook,
            task: self.task,
            seed: seed.unwrap_or_default(),
            crops: self.crops,
            crops_of: None,
            tastes: tastes(document, self.tastes)?,
            arms: arms(document, self.arms)?,
            audio: None,
            generation: None,
            sets: Vec::new(),
            text: None,
            clusters: None,
            texts: None,
            tsne: tsne::resolve(document, self.tsne)?,
            pieces: Vec::new(),
            limit: limit(document, self.limit, overrides.limit)?,
        };
        Ok((experiment, seed.is_none()))
    }
}

pub(super) fn scores(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let raw: RawScores = document.to()?;
    let common = Common {
        experiment: raw.experiment,
        notebook: raw.notebook,
        task: Task::ClapScores,
        tastes: raw.tastes,
        arms: raw.arms,
        crops: raw.crops,
        seed: raw.seed,
        limit: raw.limit,
        tsne: raw.tsne,
    };
    let (mut experiment, default_seed) = common.resolve(document, overrides)?;
    let (audio, found) = audio::resolve(document, raw.audio, !experiment.tastes.is_empty())?;
    experiment.audio = Some(audio);
    Ok((experiment, default_seed, Source::Found(vec![found])))
}

pub(super) fn clusters(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let raw: RawClusters = document.to()?;
    let clusters = settings(document, &raw.pieces_per_taste, raw.permutations)?;
    let common = Common {
        experiment: raw.experiment,
        notebook: raw.notebook,
        task: Task::Clusters,
        tastes: raw.tastes,
        arms: raw.arms,
        crops: raw.crops,
        seed: raw.seed,
        limit: raw.limit,
        tsne: raw.tsne,
    };
    let (mut experiment, default_seed) = common.resolve(document, overrides)?;
    if experiment.tastes.len() < 2 {
        let message = "'tastes' needs at least two: what is measured is how far they lie apart";
        return Err(document.invalid("tastes", message).into());
    }
    let (audio, found) = audio::resolve(document, raw.audio, true)?;
    experiment.audio = Some(audio);
    experiment.clusters = Some(clusters);
    Ok((experiment, default_seed, Source::Found(vec![found])))
}

pub(super) fn compare(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
    let raw: RawCompare = document.to()?;
    if raw.sets.len() != 2 {
        let message = words!(
            "'sets' has {} entries; two sets are compared",
            raw.sets.len()
        );
        return Err(document.invalid("sets", message).into());
    }
    let clusters = settings(document, &[], raw.permutations)?;
    let common = Common {
        experiment: raw.experiment,
        notebook: raw.notebook,
        task: Task::Compare,
        tastes: raw.tastes,
        arms: raw.arms,
        crops: raw.crops,
        seed: raw.seed,
        limit: raw.limit,
        tsne: raw.tsne,
    };
    let (mut experiment, default_seed) = common.resolve(document, overrides)?;
    let mut all = Vec::new();
    for (i, set) in raw.sets.into_iter().enumerate() {
        let key = format!("sets.{i}.name");
        check_label(document, &key, &set.name)?;
        // It names a folder of the report's audio, and stands before the `/` of a piece's key.
        check_file_id(&set.name).map_err(|message| document.invalid(&key, message))?;
        if experiment.sets.iter().any(|other| other.name == set.name) {
            let message = words!("two sets are called '{}'", Foreign::new(&set.name));
            return Err(document.invalid(&key, message).into());
        }
        let (audio, found) = audio::resolve_set(
            document,
            &format!("sets.{i}"),
            RawAudio {
                from: set.from,
                files: set.files,
                csv: set.csv,
                text: raw.text.clone(),
            },
            !experiment.tastes.is_empty(),
        )?;
        experiment.sets.push(PieceSet {
            name: set.name,
            audio,
        });
        all.push(found);
    }
    let names = experiment.sets.iter().flat_map(|set| {
        let arms = experiment.arms.iter();
        arms.map(move |arm| format!("{}, {}", set.name, arm.name))
    });
    let mut seen = HashSet::new();
    if let Some(twice) = names.into_iter().find(|name| !seen.insert(name.clone())) {
        let message = words!(
            "two sets under their arms would both be called '{}'; rename a set",
            Foreign::new(&twice)
        );
        return Err(document.invalid("sets", message).into());
    }
    if let Some(text) = &raw.text {
        Template::parse("text", text).map_err(|message| document.invalid("text", message))?;
    }
    experiment.text = raw.text;
    experiment.clusters = Some(clusters);
    Ok((experiment, default_seed, Source::Found(all)))
}

pub(super) fn texts(
    document: &Document,
    overrides: &Overrides,
    shrunk: &mut Vec<String>,
) -> Result<Drafted, SpecError> {
    let raw: RawTexts = document.to()?;
    let captions = captions::resolve(document, &raw.captions, overrides.demo.as_ref(), shrunk)?;
    if raw.queries.len() > MOST_QUERIES || !(1..=MOST_NEAREST).contains(&raw.nearest) {
        let message = words!(
            "'queries' may have {} entries, and 'nearest' be from 1 to {}",
            MOST_QUERIES,
            MOST_NEAREST
        );
        return Err(document.invalid("queries", message).into());
    }
    for (i, query) in raw.queries.iter().enumerate() {
        if query.trim().is_empty() || raw.queries[..i].contains(query) {
            let key = format!("queries.{i}");
            let message = words!("'queries.{}' is empty or there twice", i);
            return Err(document.invalid(&key, message).into());
        }
    }
    let common = Common {
        experiment: raw.experiment,
        notebook: raw.notebook,
        task: Task::Texts,
        tastes: Vec::new(),
        arms: vec![RawArm {
            name: raw.model.clone(),
            model: raw.model,
        }],
        crops: CropPolicy::default(),
        seed: raw.seed,
        limit: raw.limit,
        tsne: raw.tsne,
    };
    let (mut experiment, default_seed) = common.resolve(document, overrides)?;
    experiment.texts = Some(Texts {
        captions,
        queries: raw.queries,
        nearest: raw.nearest as usize,
    });
    Ok((experiment, default_seed, Source::Captions))
}

pub(super) fn generate(
    document: &Document,
    overrides: &Overrides,
    shrunk: &mut Vec<String>,
) -> Result<Drafted, SpecError> {
    let raw: RawGenerate = document.to()?;
    check_name(document, &raw.experiment)?;
    check_label(document, "model", &raw.model)?;
    let mut generation = generation::resolve(document, &raw)?;
    if let Some(shrink) = &overrides.demo {
        shrunk.extend(generation.shrink(document, shrink));
    }
    let common = Common {
        experiment: raw.experiment,
        notebook: raw.notebook,
        task: Task::Generate,
        tastes: raw.tastes,
        arms: raw.arms,
        crops: raw.crops,
        seed: raw.seed,
        limit: raw.limit,
        // Another map is no reason to make the pieces again: `clusters` has the key.
        tsne: RawTsne::default(),
    };
    let (mut experiment, default_seed) = common.resolve(document, overrides)?;
    let source = match (&generation.prompts, &generation.rewrite) {
        (Prompts::Text(text), _) => {
            Source::Template(generation::template(document, text, &experiment.tastes)?)
        }
        (_, Some(rewrite)) => {
            let key = "prompts.rewrite";
            let template =
                Template::parse(key, rewrite).map_err(|message| document.invalid(key, message))?;
            Source::Descriptions(Some(template))
        }
        (_, None) => Source::Descriptions(None),
    };
    experiment.generation = Some(generation);
    Ok((experiment, default_seed, source))
}

/// The subsets and the permutations of tests.
fn settings(
    document: &Document,
    pieces_per_taste: &[u64],
    permutations: u64,
) -> Result<Clusters, YamlError> {
    if !(100..=MOST_PERMUTATIONS).contains(&permutations) {
        let message = words!("'permutations' must be from 100 to {}", MOST_PERMUTATIONS);
        return Err(document.invalid("permutations", message));
    }
    if let Some(i) = pieces_per_taste.iter().position(|n| *n < 2) {
        let message = "'pieces_per_taste' needs 2 or more: one piece has no neighbour";
        return Err(document.invalid(&format!("pieces_per_taste.{i}"), message));
    }
    let mut sizes: Vec<usize> = pieces_per_taste
        .iter()
        .map(|n| usize::try_from(*n).unwrap_or(usize::MAX))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    Ok(Clusters {
        pieces_per_taste: sizes,
        permutations: permutations as usize,
    })
}

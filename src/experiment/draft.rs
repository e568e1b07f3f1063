//! An experiment as written → a checked [`Experiment`]: first its settings, then its pieces.

use std::path::{Path, PathBuf};

use foreign::{Foreign, Words, hint, words};
use serde::Deserialize;
use strict_yaml::Document;

use super::Experiment;
use super::pairs;
use super::settings::{Drafted, Overrides};
use super::source::Source;
use crate::labels::Labels;
use crate::spec::audio::Found;
use crate::spec::checks::tastes_of;
use crate::spec::{
    Captions, Download, Piece, Prompts, SpecError, Text, captions, descriptions, generation, label,
    pieces,
};

/// A kind of experiment: the word behind `task:`, and what reads such a file.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub read: fn(&Document, &Overrides) -> Result<Drafted, SpecError>,
}

/// An experiment whose settings are right and whose pieces are not looked for yet.
#[derive(Clone, Debug)]
pub struct Draft {
    document: Document,
    drafted: Drafted,
}

/// The pieces of a finished run, for an experiment that takes its pieces from there.
#[derive(Clone, Debug)]
pub struct RunPieces {
    /// The experiment that made them, and its seed.
    pub experiment: String,
    pub seed: u64,
    /// With the paths of their files.
    pub pieces: Vec<Piece>,
}

/// Says which task's keys to read.
#[derive(Deserialize)]
struct RawTask {
    task: String,
}

impl Draft {
    /// Override what is written and check it as its task does, which is one of `kinds`.
    pub fn new(
        mut document: Document,
        overrides: &Overrides,
        kinds: &[Kind],
    ) -> Result<Self, SpecError> {
        for assignment in &overrides.set {
            document.set(assignment)?;
        }
        let RawTask { task } = document.to()?;
        let Some(kind) = kinds.iter().find(|kind| kind.name == task) else {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
            let hint = hint(&task, &names);
            let message = words!("'task' cannot be '{}'{}", Foreign::new(&task), hint);
            return Err(document.invalid("task", message).into());
        };
        let word = label::read(&document)?;
        label::call(&mut document, &word)?;
        let drafted = (kind.read)(&document, overrides)?;
        Ok(Self { document, drafted })
    }

    /// The file of prompts that has to be fetched first.
    pub fn download(&self) -> Option<&Download> {
        match &self.drafted.source {
            Source::Descriptions {
                prompts: Prompts::Url(download),
                ..
            } => Some(download),
            _ => None,
        }
    }

    /// Where the captions that the experiment embeds are; `None` of one that embeds none.
    pub fn captions(&self) -> Option<&Captions> {
        match &self.drafted.source {
            Source::Captions(captions) => Some(captions),
            _ => None,
        }
    }

    /// The captions and their descriptors, read from `path`.
    pub fn texts(&self, path: &Path) -> Result<Vec<Text>, SpecError> {
        captions::read(path, self.experiment().limit)
    }

    /// Of each set of pieces in its order, the run that it comes from: an experiment's name, or a folder.
    pub fn from(&self) -> Vec<Option<&str>> {
        let found: Vec<&Found> = match &self.drafted.source {
            Source::Found(found) => vec![found],
            Source::Sets { sets, .. } => sets.iter().map(|(_, found)| found).collect(),
            Source::Template(..) | Source::Descriptions { .. } | Source::Captions(_) => Vec::new(),
        };
        let runs = found.into_iter().map(|found| match found {
            Found::Run(from) => Some(from.as_str()),
            Found::Folder(..) | Found::Csv(..) => None,
        });
        runs.collect()
    }

    /// What [`Overrides::demo`] has cut down, in words.
    pub fn shrunk(&self) -> &[String] {
        &self.drafted.shrunk
    }

    /// The settings, without pieces.
    pub fn experiment(&self) -> &Experiment {
        &self.drafted.experiment
    }

    /// An error about the value at a dotted path of the file.
    pub fn invalid(&self, key: &str, message: impl Into<Words>) -> SpecError {
        self.document.invalid(key, message).into()
    }

    /// Where the file names the run that set `index` comes from: `audio.from`, `sets.1.from`.
    pub fn from_key(&self, index: usize) -> String {
        match self.drafted.source {
            Source::Sets { .. } => format!("{}.from", key_of_set(index)),
            _ => format!("{AUDIO}.from"),
        }
    }

    /// The experiment with its pieces. `fetched` is the file that [`Draft::download`] names; `runs` are the pieces of the
    /// runs that [`Draft::from`] names, at the places of their sets.
    ///
    /// On the pieces of a run crops are drawn as that run drew them, by its name and, unless another seed was asked for,
    /// by its seed; where sets are compared, they are drawn alike for all.
    pub fn resolve(
        self,
        fetched: Option<&Path>,
        runs: Vec<Option<RunPieces>>,
    ) -> Result<Experiment, SpecError> {
        let Self { document, drafted } = self;
        let Drafted {
            mut experiment,
            default_seed,
            source,
            ..
        } = drafted;
        let limit = experiment.limit;
        let mut runs = runs.into_iter();
        let mut pieces = match source {
            Source::Captions(_) => Vec::new(),
            Source::Found(found) => {
                let run = runs.next().flatten();
                if let Some(run) = &run {
                    experiment.crops_of = Some(run.experiment.clone());
                    if default_seed {
                        experiment.seed = run.seed;
                    }
                }
                let (pieces, tastes) = find(&document, AUDIO, found, run, &experiment.labels())?;
                experiment.tastes = tastes;
                pieces
            }
            Source::Sets { sets, text } => {
                let given = experiment.labels();
                experiment.tastes.clear();
                let mut all = Vec::with_capacity(sets.len());
                for (i, (name, found)) in sets.into_iter().enumerate() {
                    let run = runs.next().flatten();
                    let (pieces, tastes) = find(&document, &key_of_set(i), found, run, &given)?;
                    // Those of the file, or else those of all sets as they come.
                    for taste in tastes {
                        if !experiment.tastes.contains(&taste) {
                            experiment.tastes.push(taste);
                        }
                    }
                    all.push((name, pieces));
                }
                experiment.pieces = pairs::combine(all, text.as_ref(), limit, &given.word)
                    .map_err(|message| document.invalid("sets", message))?;
                return Ok(experiment);
            }
            Source::Template(template, draws) => {
                generation::from_tastes(&template, &experiment.tastes, draws)
            }
            Source::Descriptions {
                prompts,
                rewrite,
                draws,
            } => {
                let path = match prompts {
                    Prompts::Path(path) => path,
                    _ => fetched.map(PathBuf::from).unwrap_or_default(),
                };
                descriptions::read(&path, &experiment.labels(), draws, rewrite.as_ref())?
            }
        };
        if matches!(experiment.task.input(), super::Input::Made(_)) {
            generation::in_folders(&mut pieces);
        }
        pieces.truncate(limit.unwrap_or(usize::MAX));
        experiment.pieces = pieces;
        Ok(experiment)
    }
}

/// The key of the pieces of an experiment that has one set of them.
const AUDIO: &str = "audio";

fn key_of_set(index: usize) -> String {
    format!("sets.{index}")
}

/// The pieces of a set and the tastes in their order; no piece of a run that is not made yet. `key` is where the file
/// speaks of the set.
fn find(
    document: &Document,
    key: &str,
    found: Found,
    run: Option<RunPieces>,
    given: &Labels,
) -> Result<(Vec<Piece>, Vec<String>), SpecError> {
    match (found, run) {
        (Found::Run(_), None) => Ok((Vec::new(), given.order.clone())),
        (Found::Run(_), Some(run)) => {
            let tastes = tastes_of(document, &run.pieces, given)?;
            Ok((run.pieces, tastes))
        }
        (Found::Folder(folder, template), _) => {
            let key = format!("{key}.files");
            let pieces = pieces::from_folder(document, &key, &folder, &template, given)?;
            Ok((pieces, given.order.clone()))
        }
        (Found::Csv(path, names), _) => pieces::from_list(&path, &names, given),
    }
}

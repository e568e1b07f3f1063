//! An experiment as written → a checked [`Experiment`]: first its settings, then its pieces.

use std::path::{Path, PathBuf};

use foreign::Words;
use strict_yaml::Document;

use super::audio::Found;
use super::checks::tastes_of;
use super::generation::{self, Download, Prompts};
use super::raw::RawTask;
use super::source::Source;
use super::template::Template;
use super::{
    Audio, Experiment, Overrides, Piece, SpecError, Task, Text, captions, compare, descriptions,
    pieces, tasks,
};

/// An experiment whose settings are right and whose pieces are not looked for yet.
#[derive(Clone, Debug)]
pub struct Draft {
    document: Document,
    /// Without pieces.
    experiment: Experiment,
    /// Nobody has said the seed.
    default_seed: bool,
    source: Source,
    /// What was cut down, in words.
    shrunk: Vec<String>,
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

impl Draft {
    pub(super) fn new(mut document: Document, overrides: &Overrides) -> Result<Self, SpecError> {
        for assignment in &overrides.set {
            document.set(assignment)?;
        }
        let RawTask { task } = document.to()?;
        let mut shrunk = Vec::new();
        let (experiment, default_seed, source) = match task {
            Task::ClapScores => tasks::scores(&document, overrides)?,
            Task::Clusters => tasks::clusters(&document, overrides)?,
            Task::Generate => tasks::generate(&document, overrides, &mut shrunk)?,
            Task::Compare => tasks::compare(&document, overrides)?,
            Task::Texts => tasks::texts(&document, overrides, &mut shrunk)?,
        };
        Ok(Self {
            document,
            experiment,
            default_seed,
            source,
            shrunk,
        })
    }

    /// The file of prompts that has to be fetched first.
    pub fn download(&self) -> Option<&Download> {
        match self.experiment.generation.as_ref().map(|g| &g.prompts) {
            Some(Prompts::Url(download)) => Some(download),
            _ => None,
        }
    }

    /// The captions that the experiment embeds, read from `path`.
    pub fn captions(&self, path: &Path) -> Result<Vec<Text>, SpecError> {
        captions::read(path, self.experiment.limit)
    }

    /// Of each set of pieces in its order, the run that it comes from: an experiment's name, or a folder.
    pub fn from(&self) -> Vec<Option<&str>> {
        self.audio()
            .map(|(_, audio)| match audio {
                Audio::From(from) => Some(from.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The key of each set of pieces in the file, and where its pieces come from.
    fn audio(&self) -> impl Iterator<Item = (String, &Audio)> {
        let one = self.experiment.audio.iter();
        let sets = self.experiment.sets.iter().enumerate();
        one.map(|audio| ("audio".to_owned(), audio))
            .chain(sets.map(|(i, set)| (format!("sets.{i}"), &set.audio)))
    }

    /// What [`Overrides::demo`] has cut down, in words.
    pub fn shrunk(&self) -> &[String] {
        &self.shrunk
    }

    /// The settings, without pieces.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// An error about the value at a dotted path of the file.
    pub fn invalid(&self, key: &str, message: impl Into<Words>) -> SpecError {
        self.document.invalid(key, message).into()
    }

    /// Where the file names the run that set `index` comes from: `audio.from`, `sets.1.from`.
    pub fn from_key(&self, index: usize) -> String {
        let key = self.audio().nth(index).map(|(key, _)| key);
        format!("{}.from", key.unwrap_or_default())
    }

    /// The experiment with its pieces. `fetched` is the file that [`Draft::download`] names; `runs` are the pieces of the
    /// runs that [`Draft::from`] names, at the places of their sets.
    ///
    /// On the pieces of a run crops are drawn as that run drew them, by its name and, unless another seed was asked for,
    /// by its seed; where two sets are compared, they are drawn alike for both.
    pub fn resolve(
        self,
        fetched: Option<&Path>,
        runs: Vec<Option<RunPieces>>,
    ) -> Result<Experiment, SpecError> {
        let (document, mut experiment) = (self.document, self.experiment);
        experiment.pieces = match self.source {
            Source::Captions => Vec::new(),
            Source::Found(found) => {
                let sets = find(&document, &mut experiment, self.default_seed, found, runs)?;
                match experiment.sets.is_empty() {
                    true => sets.into_iter().flatten().collect(),
                    false => return paired(&document, experiment, sets),
                }
            }
            Source::Template(template) => {
                let draws = experiment.generation.as_ref().map_or(1, |g| g.draws);
                generation::from_tastes(&template, &experiment.tastes, draws)
            }
            Source::Descriptions(rewrite) => {
                let generation = experiment.generation.as_ref();
                let draws = generation.map_or(1, |g| g.draws);
                let path = match generation.map(|g| &g.prompts) {
                    Some(Prompts::Path(path)) => path.clone(),
                    _ => fetched.map(PathBuf::from).unwrap_or_default(),
                };
                descriptions::read(&path, &experiment.tastes, draws, rewrite.as_ref())?
            }
        };
        experiment
            .pieces
            .truncate(experiment.limit.unwrap_or(usize::MAX));
        Ok(experiment)
    }
}

/// The pieces of every set; of a set that comes from a run that is not made yet, none.
fn find(
    document: &Document,
    experiment: &mut Experiment,
    default_seed: bool,
    found: Vec<Found>,
    runs: Vec<Option<RunPieces>>,
) -> Result<Vec<Vec<Piece>>, SpecError> {
    let given = std::mem::take(&mut experiment.tastes);
    let mut sets = Vec::with_capacity(found.len());
    let mut runs = runs.into_iter();
    for (i, found) in found.into_iter().enumerate() {
        let run = runs.next().flatten();
        let (pieces, tastes) = match (found, run) {
            (Found::Run, None) => (Vec::new(), given.clone()),
            (Found::Run, Some(run)) => {
                let tastes = tastes_of(document, &run.pieces, given.clone())?;
                if experiment.sets.is_empty() {
                    experiment.crops_of = Some(run.experiment);
                    if default_seed {
                        experiment.seed = run.seed;
                    }
                }
                (run.pieces, tastes)
            }
            (Found::Folder(folder, template), _) => {
                let key = match experiment.sets.is_empty() {
                    true => "audio.files".to_owned(),
                    false => format!("sets.{i}.files"),
                };
                let pieces = pieces::from_folder(document, &key, &folder, &template, &given)?;
                (pieces, given.clone())
            }
            (Found::Csv(path), _) => pieces::from_csv(&path, given.clone())?,
        };
        // Those of the file, or else those of all sets as they come.
        for taste in tastes {
            if !experiment.tastes.contains(&taste) {
                experiment.tastes.push(taste);
            }
        }
        sets.push(pieces);
    }
    Ok(sets)
}

/// The experiment with the pieces of its sets, item by item.
fn paired(
    document: &Document,
    experiment: Experiment,
    sets: Vec<Vec<Piece>>,
) -> Result<Experiment, SpecError> {
    let text = experiment.text.as_deref();
    let text = text
        .map(|text| Template::parse("text", text))
        .transpose()
        .map_err(|message| document.invalid("text", message))?;
    match compare::combine(&experiment.sets, sets, text.as_ref(), experiment.limit) {
        Ok(pieces) => Ok(Experiment {
            pieces,
            ..experiment
        }),
        Err(message) => Err(document.invalid("sets", message).into()),
    }
}

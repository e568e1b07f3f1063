//! An experiment as written → a checked [`Experiment`]: first its settings, then its pieces.

use std::path::{Path, PathBuf};

use super::audio::{self, Found};
use super::generation::{self, Download, Prompts};
use super::raw::{RawArm, RawGenerate, RawScores, RawTask};
use super::template::Template;
use super::{Arm, Audio, Experiment, Overrides, Piece, SpecError, Task, descriptions, pieces};
use crate::analysis::grouping::{ALL, MOST_TASTES};
use crate::wording::{hint, shown};
use crate::yaml::{Document, YamlError};

/// Longest name of an experiment, an arm or a taste.
const MAX_NAME_CHARS: usize = 100;

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

/// What the pieces are made from.
#[derive(Clone, Debug)]
enum Source {
    /// A folder, a CSV or a run.
    Found(Found),
    /// One prompt a taste.
    Template(Template),
    /// A descriptions file.
    Descriptions,
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
        match task {
            Task::ClapScores => Self::scores(document, overrides),
            Task::Generate => Self::generate(document, overrides),
        }
    }

    fn scores(document: Document, overrides: &Overrides) -> Result<Self, SpecError> {
        let raw: RawScores = document.to()?;
        check_name(&document, &raw.experiment)?;
        let tastes = tastes(&document, raw.tastes)?;
        let arms = arms(&document, raw.arms)?;
        let limit = limit(&document, raw.limit, overrides.limit)?;
        let (audio, found) = audio::resolve(&document, raw.audio, !tastes.is_empty())?;
        let seed = overrides.seed.or(raw.seed);
        let experiment = Experiment {
            name: raw.experiment,
            notebook: raw.notebook,
            task: Task::ClapScores,
            seed: seed.unwrap_or_default(),
            crops: raw.crops,
            crops_of: None,
            arms,
            tastes,
            audio: Some(audio),
            generation: None,
            pieces: Vec::new(),
            limit,
        };
        Ok(Self {
            document,
            experiment,
            default_seed: seed.is_none(),
            source: Source::Found(found),
            shrunk: Vec::new(),
        })
    }

    fn generate(document: Document, overrides: &Overrides) -> Result<Self, SpecError> {
        let raw: RawGenerate = document.to()?;
        check_name(&document, &raw.experiment)?;
        check_label(&document, "model", &raw.model)?;
        let mut generation = generation::resolve(&document, &raw)?;
        let shrunk = match &overrides.demo {
            Some(shrink) => generation.shrink(&document, shrink),
            None => Vec::new(),
        };
        let tastes = tastes(&document, raw.tastes)?;
        let arms = arms(&document, raw.arms)?;
        let limit = limit(&document, raw.limit, overrides.limit)?;
        let source = match &generation.prompts {
            Prompts::Text(text) => {
                Source::Template(generation::template(&document, text, &tastes)?)
            }
            Prompts::Path(_) | Prompts::Url(_) => Source::Descriptions,
        };
        let seed = overrides.seed.or(raw.seed);
        let experiment = Experiment {
            name: raw.experiment,
            notebook: raw.notebook,
            task: Task::Generate,
            seed: seed.unwrap_or_default(),
            crops: raw.crops,
            crops_of: None,
            arms,
            tastes,
            audio: None,
            generation: Some(generation),
            pieces: Vec::new(),
            limit,
        };
        Ok(Self {
            document,
            experiment,
            default_seed: seed.is_none(),
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

    /// The run that the pieces come from: an experiment's name, or a folder.
    pub fn from(&self) -> Option<&str> {
        match &self.experiment.audio {
            Some(Audio::From(from)) => Some(from),
            _ => None,
        }
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
    pub fn invalid(&self, key: &str, message: impl Into<String>) -> SpecError {
        self.document.invalid(key, message).into()
    }

    /// The experiment with its pieces. `fetched` is the file that [`Draft::download`] names; an experiment whose pieces
    /// come [`from`](Draft::from) a run has none yet.
    pub fn resolve(self, fetched: Option<&Path>) -> Result<Experiment, SpecError> {
        let (document, mut experiment) = (self.document, self.experiment);
        experiment.pieces = match self.source {
            Source::Found(Found::Run) => Vec::new(),
            Source::Found(Found::Folder(folder, template)) => {
                pieces::from_folder(&document, &folder, &template, &experiment.tastes)?
            }
            Source::Found(Found::Csv(path)) => {
                let (pieces, tastes) = pieces::from_csv(&path, experiment.tastes)?;
                experiment.tastes = tastes;
                pieces
            }
            Source::Template(template) => {
                let draws = experiment.generation.as_ref().map_or(1, |g| g.draws);
                generation::from_tastes(&template, &experiment.tastes, draws)
            }
            Source::Descriptions => {
                let generation = experiment.generation.as_ref();
                let draws = generation.map_or(1, |g| g.draws);
                let path = match generation.map(|g| &g.prompts) {
                    Some(Prompts::Path(path)) => path.clone(),
                    _ => fetched.map(PathBuf::from).unwrap_or_default(),
                };
                descriptions::read(&path, &experiment.tastes, draws)?
            }
        };
        experiment
            .pieces
            .truncate(experiment.limit.unwrap_or(usize::MAX));
        Ok(experiment)
    }

    /// The experiment on the pieces of a finished run. Crops are drawn as that run drew them, by its name and, unless
    /// another seed was asked for, by its seed.
    pub fn resolve_from(mut self, run: RunPieces) -> Result<Experiment, SpecError> {
        let tastes = std::mem::take(&mut self.experiment.tastes);
        let tastes = tastes_of(&self.document, &run.pieces, tastes)?;
        let default_seed = self.default_seed;
        let mut experiment = self.experiment;
        experiment.tastes = tastes;
        experiment.crops_of = Some(run.experiment);
        if default_seed {
            experiment.seed = run.seed;
        }
        experiment.pieces = run.pieces;
        experiment
            .pieces
            .truncate(experiment.limit.unwrap_or(usize::MAX));
        Ok(experiment)
    }
}

/// The tastes given, which must have all those of the pieces; when none are given, those of the pieces as they come.
fn tastes_of(
    document: &Document,
    pieces: &[Piece],
    given: Vec<String>,
) -> Result<Vec<String>, YamlError> {
    let mut found: Vec<String> = Vec::new();
    for taste in pieces.iter().filter_map(|piece| piece.taste.as_ref()) {
        if !found.contains(taste) {
            found.push(taste.clone());
        }
    }
    if given.is_empty() {
        return Ok(found);
    }
    let known: Vec<&str> = given.iter().map(String::as_str).collect();
    match found.iter().find(|taste| !given.contains(taste)) {
        Some(taste) => {
            let message = format!(
                "the run's pieces have the taste '{}'{}",
                shown(taste),
                hint(taste, &known)
            );
            Err(document.invalid("tastes", message))
        }
        None => Ok(given),
    }
}

/// The name becomes a folder's.
fn check_name(document: &Document, name: &str) -> Result<(), YamlError> {
    if !is_name(name) {
        let message = format!(
            "'experiment' is '{}'; it names a folder: letters, digits, '.', '_' and '-', no '.' first",
            shown(name)
        );
        return Err(document.invalid("experiment", message));
    }
    Ok(())
}

/// Whether an experiment can be called so.
pub(super) fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty()
        && name.len() <= MAX_NAME_CHARS
        && !name.starts_with('.')
        && name.chars().all(good)
}

/// A name for tables and plots.
fn check_label(document: &Document, key: &str, label: &str) -> Result<(), YamlError> {
    let problem = if label.trim().is_empty() {
        "is empty"
    } else if label.trim() != label {
        "begins or ends with a space"
    } else if label.chars().count() > MAX_NAME_CHARS {
        "is longer than 100 characters"
    } else if label.chars().any(char::is_control) {
        "holds a control character"
    } else {
        return Ok(());
    };
    Err(document.invalid(key, format!("'{key}' {problem}")))
}

fn tastes(document: &Document, tastes: Vec<String>) -> Result<Vec<String>, YamlError> {
    if tastes.len() > MOST_TASTES {
        let message = format!(
            "'tastes' has {} entries; the figures have room for {MOST_TASTES}",
            tastes.len()
        );
        return Err(document.invalid("tastes", message));
    }
    for (i, taste) in tastes.iter().enumerate() {
        let key = format!("tastes.{i}");
        check_label(document, &key, taste)?;
        if taste == ALL {
            let message =
                format!("'{ALL}' stands for all tastes together in every table; rename that taste");
            return Err(document.invalid(&key, message));
        }
        if tastes[..i].contains(taste) {
            return Err(document.invalid(&key, format!("'tastes' names '{}' twice", shown(taste))));
        }
    }
    Ok(tastes)
}

fn arms(document: &Document, arms: Vec<RawArm>) -> Result<Vec<Arm>, YamlError> {
    if arms.is_empty() {
        return Err(document.invalid("arms", "'arms' is empty; name at least one model"));
    }
    for (i, arm) in arms.iter().enumerate() {
        let key = format!("arms.{i}.name");
        check_label(document, &key, &arm.name)?;
        check_label(document, &format!("arms.{i}.model"), &arm.model)?;
        if arms[..i].iter().any(|other| other.name == arm.name) {
            let message = format!(
                "two arms are called '{}'; give each a name of its own",
                shown(&arm.name)
            );
            return Err(document.invalid(&key, message));
        }
    }
    Ok(arms
        .into_iter()
        .map(|RawArm { name, model }| Arm { name, model })
        .collect())
}

fn limit(
    document: &Document,
    written: Option<u64>,
    flag: Option<usize>,
) -> Result<Option<usize>, SpecError> {
    match (flag, written) {
        (Some(0), _) => Err(SpecError::Flag {
            flag: "--limit 0",
            message: "leaves no piece".to_owned(),
        }),
        (Some(limit), _) => Ok(Some(limit)),
        (None, Some(0)) => Err(document
            .invalid("limit", "'limit' is 0, which leaves no piece")
            .into()),
        // A limit beyond the address space limits nothing.
        (None, Some(limit)) => Ok(Some(usize::try_from(limit).unwrap_or(usize::MAX))),
        (None, None) => Ok(None),
    }
}

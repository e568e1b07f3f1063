//! An experiment as written → a checked [`Experiment`]: first its settings, then its pieces.

use std::path::{Path, PathBuf};

use super::audio::{self, Found};
use super::generation::{self, Download, Prompts};
use super::pieces::check_file_id;
use super::raw::{
    RawArm, RawAudio, RawClusters, RawCompare, RawGenerate, RawScores, RawTask, RawTexts, RawTsne,
};
use super::template::Template;
use super::{
    Arm, Audio, Clusters, CropPolicy, Experiment, Overrides, Piece, PieceSet, SpecError, Task,
    Text, Texts, captions, compare, descriptions, pieces, tsne,
};
use crate::analysis::grouping::{ALL, MOST_TASTES};
use crate::wording::{hint, shown};
use crate::yaml::{Document, YamlError};

/// Longest name of an experiment, an arm or a taste.
const MAX_NAME_CHARS: usize = 100;
/// Beyond these a number was mistyped.
const MOST_PERMUTATIONS: u64 = 1_000_000;
const MOST_QUERIES: usize = 1_000;
const MOST_NEAREST: u64 = 1_000;

/// Settings, whether the seed is nobody's, and what the pieces are made from.
type Drafted = (Experiment, bool, Source);

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
    /// A folder, a CSV or a run for each set of pieces.
    Found(Vec<Found>),
    /// One prompt a taste.
    Template(Template),
    /// A descriptions file, and what is made of each description if not it is the prompt.
    Descriptions(Option<Template>),
    /// No pieces, but texts.
    Captions,
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

impl Draft {
    pub(super) fn new(mut document: Document, overrides: &Overrides) -> Result<Self, SpecError> {
        for assignment in &overrides.set {
            document.set(assignment)?;
        }
        let RawTask { task } = document.to()?;
        let mut shrunk = Vec::new();
        let (experiment, default_seed, source) = match task {
            Task::ClapScores => Self::scores(&document, overrides)?,
            Task::Clusters => Self::clusters(&document, overrides)?,
            Task::Generate => Self::generate(&document, overrides, &mut shrunk)?,
            Task::Compare => Self::compare(&document, overrides)?,
            Task::Texts => Self::texts(&document, overrides, &mut shrunk)?,
        };
        Ok(Self {
            document,
            experiment,
            default_seed,
            source,
            shrunk,
        })
    }

    fn scores(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
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

    fn clusters(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
        let raw: RawClusters = document.to()?;
        let clusters = clusters(document, &raw.pieces_per_taste, raw.permutations)?;
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

    fn compare(document: &Document, overrides: &Overrides) -> Result<Drafted, SpecError> {
        let raw: RawCompare = document.to()?;
        if raw.sets.len() != 2 {
            let message = format!(
                "'sets' has {} entries; two sets are compared",
                raw.sets.len()
            );
            return Err(document.invalid("sets", message).into());
        }
        let clusters = clusters(document, &[], raw.permutations)?;
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
                let message = format!("two sets are called '{}'", shown(&set.name));
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
        if let Some(text) = &raw.text {
            Template::parse("text", text).map_err(|message| document.invalid("text", message))?;
        }
        experiment.text = raw.text;
        experiment.clusters = Some(clusters);
        Ok((experiment, default_seed, Source::Found(all)))
    }

    fn texts(
        document: &Document,
        overrides: &Overrides,
        shrunk: &mut Vec<String>,
    ) -> Result<Drafted, SpecError> {
        let raw: RawTexts = document.to()?;
        let captions = captions::resolve(document, &raw.captions, overrides.demo.as_ref(), shrunk)?;
        if raw.queries.len() > MOST_QUERIES || !(1..=MOST_NEAREST).contains(&raw.nearest) {
            let message = format!(
                "'queries' may have {MOST_QUERIES} entries, and 'nearest' be from 1 to {MOST_NEAREST}"
            );
            return Err(document.invalid("queries", message).into());
        }
        for (i, query) in raw.queries.iter().enumerate() {
            if query.trim().is_empty() || raw.queries[..i].contains(query) {
                let key = format!("queries.{i}");
                let message = format!("'{key}' is empty or there twice");
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

    fn generate(
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
                let template = Template::parse(key, rewrite)
                    .map_err(|message| document.invalid(key, message))?;
                Source::Descriptions(Some(template))
            }
            (_, None) => Source::Descriptions(None),
        };
        experiment.generation = Some(generation);
        Ok((experiment, default_seed, source))
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
    pub fn invalid(&self, key: &str, message: impl Into<String>) -> SpecError {
        self.document.invalid(key, message).into()
    }

    /// An error about the run that set `index` comes from.
    pub fn invalid_from(&self, index: usize, message: impl Into<String>) -> SpecError {
        let key = self
            .audio()
            .nth(index)
            .map_or_else(String::new, |(key, _)| key);
        self.invalid(&format!("{key}.from"), message)
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
                let mut sets = Vec::with_capacity(found.len());
                let mut runs = runs.into_iter();
                for found in found {
                    let run = runs.next().flatten();
                    sets.push(match (found, run) {
                        (Found::Run, None) => Vec::new(),
                        (Found::Run, Some(run)) => {
                            let given = std::mem::take(&mut experiment.tastes);
                            experiment.tastes = tastes_of(&document, &run.pieces, given)?;
                            if experiment.sets.is_empty() {
                                experiment.crops_of = Some(run.experiment);
                                if self.default_seed {
                                    experiment.seed = run.seed;
                                }
                            }
                            run.pieces
                        }
                        (Found::Folder(folder, template), _) => {
                            pieces::from_folder(&document, &folder, &template, &experiment.tastes)?
                        }
                        (Found::Csv(path), _) => {
                            let given = std::mem::take(&mut experiment.tastes);
                            let (pieces, tastes) = pieces::from_csv(&path, given)?;
                            experiment.tastes = tastes;
                            pieces
                        }
                    });
                }
                match experiment.sets.as_slice() {
                    [] => sets.into_iter().flatten().collect(),
                    names => {
                        let most = experiment.limit.unwrap_or(usize::MAX);
                        sets.iter_mut().for_each(|pieces| pieces.truncate(most));
                        let text = experiment.text.as_deref();
                        let text = text
                            .map(|text| Template::parse("text", text))
                            .transpose()
                            .map_err(|message| document.invalid("text", message))?;
                        return match compare::combine(names, sets, text.as_ref()) {
                            Ok(pieces) => Ok(Experiment {
                                pieces,
                                ..experiment
                            }),
                            Err(message) => Err(document.invalid("sets", message).into()),
                        };
                    }
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

/// The subsets and the permutations of tests.
fn clusters(
    document: &Document,
    pieces_per_taste: &[u64],
    permutations: u64,
) -> Result<Clusters, YamlError> {
    if !(100..=MOST_PERMUTATIONS).contains(&permutations) {
        let message = format!("'permutations' must be from 100 to {MOST_PERMUTATIONS}");
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

//! Everything that can be checked before anything long starts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use checkpoint::musicgen::MusicgenConfig;
use foreign::Foreign;
use foreign::words;
use pipelines::clips::{ClipInfo, CropChoice};
use process::progress::note;

use super::RUNS;
use super::crops::RecordedCrops;
use super::demo::{self, Demo};
use super::folder::check_writable;
use super::pending::{Pending, PendingRun};
use super::source::{self, SourceRun};
use super::survey::survey;
use super::told::{note_source, note_without_taste, pieces_and_length};
use crate::card::{Card, Kind};
use crate::cli::{MODELS, RunArgs, RuntimeArgs};
use crate::exit::UsageError;
use crate::model;
use crate::notebook;
use crate::spec::{self, Captions, Draft, Experiment, Overrides, Piece, RunPieces, Task, Text};
use crate::tables::SkippedRow;

/// An experiment whose settings, pieces and cards are known.
#[derive(Debug)]
pub struct Plan {
    /// Without the pieces that were left out.
    pub experiment: Experiment,
    /// Of each piece that is here, in their order; empty when they are yet to be made.
    pub clips: Vec<ClipInfo>,
    pub skipped: Vec<SkippedRow>,
    /// Of each arm, in their order.
    pub cards: Vec<Card>,
    /// The card of the model that makes the pieces, and its sizes if its checkpoint is here.
    pub generator: Option<Card>,
    pub config: Option<MusicgenConfig>,
    /// What is known of the experiment's notebook: a checked [`crate::notebook`] file.
    pub notebook: Option<String>,
    /// The run that each set of pieces comes from, where it is one; there is one set unless two are compared.
    pub sources: Vec<Option<SourceRun>>,
    /// What is to be run before, when a set of pieces is not there yet.
    pub pending: Option<Box<Pending>>,
    /// What an experiment of texts embeds.
    pub texts: Vec<Text>,
    pub recorded: Option<RecordedCrops>,
    /// The folder asked for, or `runs/<experiment>`.
    pub folder: PathBuf,
    /// Where the cards are, and the graphs.
    pub models: PathBuf,
    pub runtime: RuntimeArgs,
    /// Pieces made at once.
    pub batch: Option<usize>,
    pub demo: bool,
    pub offline: bool,
    pub fresh: bool,
    skip_bad: bool,
}

impl Plan {
    /// How the crops of long pieces are chosen, the same for every arm.
    pub fn crop_choice(&self) -> CropChoice {
        let experiment = &self.experiment;
        match &self.recorded {
            Some(recorded) => CropChoice::Recorded(recorded.crops.clone()),
            None => CropChoice::Policy {
                policy: experiment.crops,
                seed: experiment.seed,
                experiment: experiment
                    .crops_of
                    .as_ref()
                    .unwrap_or(&experiment.name)
                    .clone(),
            },
        }
    }

    /// Whether any number means nothing.
    pub fn random_weights(&self) -> bool {
        let cards = self.cards.iter().chain(&self.generator);
        let mut sources = self.sources.iter().flatten();
        cards.into_iter().any(|card| card.random_weights)
            || sources.any(|source| source.random_weights)
    }

    /// Where a piece's file is, in a run whose folder is `folder`.
    pub fn path_of(&self, piece: &Piece, folder: &Path) -> PathBuf {
        match self.experiment.generation {
            Some(_) => folder.join(&piece.path),
            None => piece.path.clone(),
        }
    }

    /// `100 pieces, 49.9 min of audio`, of pieces that are to be made.
    pub fn work(&self) -> String {
        let durations = self.durations();
        pieces_and_length(durations.len(), durations.iter().sum())
    }

    /// Seconds of each piece: of those that are here, or as they will be made.
    fn durations(&self) -> Vec<f64> {
        match (&self.experiment.generation, &self.pending) {
            (Some(generation), _) => {
                let each = self.sizes().seconds(generation.duration_s);
                vec![each; self.experiment.pieces.len()]
            }
            (None, Some(pending)) => pending.plans().flat_map(Plan::durations).collect(),
            (None, None) => self.clips.iter().map(|clip| clip.duration_s).collect(),
        }
    }

    /// Hold the crops that the command line names against the pieces.
    fn check_crops(&self) -> Result<()> {
        // Of several sets that wait for each other the lengths are not known together; they are checked once they are.
        if self.pending.is_some() && !self.experiment.sets.is_empty() {
            return Ok(());
        }
        match &self.recorded {
            Some(recorded) => recorded.check(&self.experiment, &self.durations(), &self.cards),
            None => Ok(()),
        }
    }

    /// The same plan with the pieces of finished runs, at the places of the sets that come from them.
    pub(super) fn attach(mut self, draft: Draft, sources: Vec<Option<SourceRun>>) -> Result<Self> {
        let limit = draft.experiment().limit;
        let runs = sources
            .iter()
            .enumerate()
            .map(|(i, source)| {
                let source = source.as_ref();
                source
                    .map(|source| source.pieces(limit_of(i, limit)))
                    .transpose()
            })
            .collect::<Result<Vec<_>>>()?;
        self.experiment = draft.resolve(None, runs)?;
        self.sources = sources;
        let plan = self.look()?;
        plan.check_crops()?;
        Ok(plan)
    }

    /// Decode every piece.
    fn look(mut self) -> Result<Self> {
        let pieces = &self.experiment.pieces;
        let paths: Vec<&Path> = pieces.iter().map(|p| p.path.as_path()).collect();
        let found = survey(&paths, "pieces", self.skip_bad)?;
        found.keep(&mut self.experiment.pieces);
        self.clips = found.infos.into_iter().flatten().collect();
        self.skipped = found.skipped;
        if !self.skipped.is_empty() {
            self.keep_pairs()?;
        }
        Ok(self)
    }

    /// Where two sets are compared, an item whose piece was left out of one set is left out of the other.
    fn keep_pairs(&mut self) -> Result<()> {
        let sets = self.experiment.sets.len();
        if sets == 0 {
            return Ok(());
        }
        let mut counts: HashMap<String, usize> = HashMap::new();
        for piece in &self.experiment.pieces {
            *counts.entry(piece.id.clone()).or_default() += 1;
        }
        let pieces = std::mem::take(&mut self.experiment.pieces);
        let clips = std::mem::take(&mut self.clips);
        let whole = |piece: &Piece| counts.get(&piece.id) == Some(&sets);
        let (paired, alone): (Vec<_>, Vec<_>) = pieces
            .into_iter()
            .zip(clips)
            .partition(|(piece, _)| whole(piece));
        self.skipped
            .extend(alone.iter().map(|(piece, _)| SkippedRow {
                path: piece.path.display().to_string(),
                reason: "the piece of this item in the other set cannot be used".to_owned(),
            }));
        (self.experiment.pieces, self.clips) = paired.into_iter().unzip();
        if self.experiment.pieces.is_empty() {
            bail!("no item has a usable piece in both sets");
        }
        Ok(())
    }
}

/// Check one experiment file under the command line's settings. Every piece is decoded and every card read; no model
/// is loaded, and nothing is fetched but a file of prompts or captions.
pub fn plan(path: &Path, args: &RunArgs) -> Result<Plan> {
    let demo = args.demo.then(|| unpack_demo(args)).transpose()?;
    let overrides = Overrides {
        set: args.set.clone(),
        seed: args.seed,
        limit: args.limit,
        demo: demo.as_ref().map(Demo::shrink),
    };
    let draft = spec::open(path, &overrides)?;
    let experiment = draft.experiment().clone();
    if !draft.shrunk().is_empty() {
        note(format!(
            "demo: {}: {}",
            experiment.name,
            draft.shrunk().join(", ")
        ));
    }
    let models = match &demo {
        Some(demo) => demo.models.clone(),
        None => args.models.models.clone(),
    };
    let cards = experiment
        .arms
        .iter()
        .map(|arm| {
            Card::find_kind(Kind::Clap, &arm.model, &models)
                .with_context(|| format!("arm '{}'", arm.name))
        })
        .collect::<Result<Vec<_>>>()?;
    let generator = experiment.generation.as_ref();
    let generator = generator
        .map(|generation| Card::find_kind(Kind::Musicgen, &generation.model, &models))
        .transpose()?;
    let plan = Plan {
        clips: Vec::new(),
        skipped: Vec::new(),
        cards,
        generator,
        config: None,
        notebook: match &experiment.notebook {
            Some(name) => notebook::beside(path, name)?,
            None => None,
        },
        sources: Vec::new(),
        pending: None,
        texts: Vec::new(),
        recorded: args.crops.as_deref().map(RecordedCrops::read).transpose()?,
        folder: match &args.out {
            Some(out) => out.clone(),
            None => Path::new(RUNS).join(&experiment.name),
        },
        models,
        runtime: args.runtime.clone(),
        batch: args.batch.map(usize::from),
        demo: args.demo,
        offline: args.models.offline,
        fresh: args.fresh,
        skip_bad: args.skip_bad,
        experiment,
    };
    let mut plan = match draft.experiment().task {
        Task::Texts => with_texts(plan, draft)?,
        _ => with_pieces(plan, draft, path, args)?,
    };
    // Those that are on the hub yet are checked once they are fetched.
    for card in &plan.cards {
        model::check_if_here(card)?;
    }
    check_writable(&plan.folder)?;
    if let Some(card) = &plan.generator {
        if let Some(checkpoint) = model::check_if_here(card)? {
            let config = MusicgenConfig::read(&checkpoint)?;
            plan.settings(&config)?;
            plan.config = Some(config);
        }
        plan.check_room(&plan.sizes(), &plan.folder, plan.without_file())?;
    }
    plan.check_crops()?;
    if plan.random_weights() && !plan.demo {
        note(format!(
            "{}: a model has random weights, or made the pieces with them; its numbers mean nothing",
            plan.experiment.name
        ));
    }
    Ok(plan)
}

/// The plan with the texts that it embeds.
fn with_texts(mut plan: Plan, draft: Draft) -> Result<Plan> {
    let captions = draft.experiment().texts.as_ref().map(|t| &t.captions);
    let path = match captions {
        Some(Captions::Path(path)) => path.clone(),
        Some(Captions::Hub(file)) => hub::fetch(file, plan.offline).context("captions")?.path,
        None => PathBuf::new(),
    };
    plan.texts = draft.captions(&path)?;
    plan.experiment = draft.resolve(None, Vec::new())?;
    Ok(plan)
}

/// The plan with its pieces: found, to be made by it, or to be made by other runs before it.
fn with_pieces(mut plan: Plan, draft: Draft, path: &Path, args: &RunArgs) -> Result<Plan> {
    let from: Vec<Option<String>> = draft
        .from()
        .into_iter()
        .map(|from| from.map(str::to_owned))
        .collect();
    if from.iter().all(Option::is_none) {
        let fetched = draft
            .download()
            .map(|d| {
                hub::fetch_pinned(
                    &d.url,
                    &d.sha256,
                    spec::MAX_DESCRIPTIONS_BYTES,
                    plan.offline,
                )
            })
            .transpose()?;
        plan.experiment = draft.resolve(fetched.as_deref(), Vec::new())?;
        if plan.experiment.generation.is_none() {
            return plan.look();
        }
        note_without_taste(&plan.experiment);
        return Ok(plan);
    }
    let limit = plan.experiment.limit;
    let (mut runs, mut others) = (Vec::new(), Vec::new());
    for (i, from) in from.iter().enumerate() {
        runs.push(match from {
            None => PendingRun::None,
            Some(folder) if folder.contains('/') => {
                PendingRun::Here(SourceRun::open(Path::new(folder), &draft.from_key(i))?)
            }
            Some(name) => match source::find(name, limit, plan.demo, &draft.from_key(i))? {
                Some(found) => {
                    let source = SourceRun::open(&found.folder, &draft.from_key(i))?;
                    others.push((draft.from_key(i), found));
                    PendingRun::Here(source)
                }
                None => PendingRun::First(Box::new(plan_before(name, i, &draft, path, args)?)),
            },
        });
    }
    if runs.iter().any(|run| matches!(run, PendingRun::First(_))) {
        let preview = runs.iter().enumerate().map(|(i, run)| match run {
            PendingRun::None => Ok(None),
            PendingRun::Here(source) => source.pieces(limit_of(i, limit)).map(Some),
            PendingRun::First(first) => Ok(Some(RunPieces {
                experiment: first.experiment.name.clone(),
                seed: first.experiment.seed,
                pieces: first.experiment.pieces.clone(),
            })),
        });
        let preview = preview.collect::<Result<Vec<_>>>()?;
        plan.experiment = draft.clone().resolve(None, preview)?;
        plan.pending = Some(Box::new(Pending { draft, runs }));
        return Ok(plan);
    }
    let sources = runs.into_iter().map(|run| match run {
        PendingRun::Here(source) => Some(source),
        _ => None,
    });
    let plan = plan.attach(draft, sources.collect())?;
    for (key, found) in &others {
        note_source(&plan, found, key);
    }
    Ok(plan)
}

/// Which pieces of set `i` are looked for: the first set says which items the limit leaves, and the other may have them in
/// another order.
fn limit_of(i: usize, limit: Option<usize>) -> Option<usize> {
    limit.filter(|_| i == 0)
}

/// The plan of the experiment `from`, whose file lies beside `path`, under the same command line but for what is about
/// one experiment alone.
fn plan_before(from: &str, set: usize, draft: &Draft, path: &Path, args: &RunArgs) -> Result<Plan> {
    let key = draft.from_key(set);
    let file = path.with_file_name(format!("{from}.yaml"));
    if !file.is_file() {
        let message = words!(
            "{} has no finished run of {}{}, and there is no {} to make one; run that experiment first, or name \
             a run folder, such as --set {}={}/{}",
            RUNS,
            Foreign::new(from),
            match (args.demo, args.limit) {
                (true, _) => " in the demo",
                (false, Some(_)) => " with so many pieces",
                (false, None) => "",
            },
            file.display(),
            Foreign::new(&key),
            RUNS,
            Foreign::new(from)
        );
        return Err(draft.invalid(&key, message).into());
    }
    let found = spec::open(&file, &Overrides::default())?;
    let found = found.experiment();
    let problem = match (&found.generation, found.name == from) {
        (None, _) => Some("makes no pieces; name an experiment that is `task: generate`".into()),
        (_, false) => Some(words!(
            "is the experiment {}, not {}",
            Foreign::new(&found.name),
            Foreign::new(from)
        )),
        _ => None,
    };
    if let Some(problem) = problem {
        let message = words!("{} {}", file.display(), problem);
        return Err(draft.invalid(&key, message).into());
    }
    let args = RunArgs {
        experiments: vec![file.clone()],
        out: None,
        seed: None,
        set: Vec::new(),
        crops: None,
        fresh: false,
        skip_bad: false,
        ..args.clone()
    };
    plan(&file, &args)
}

/// The demo brings its own models: asking for others with it is a mistake.
fn unpack_demo(args: &RunArgs) -> Result<Demo> {
    if args.models.models != Path::new(MODELS) {
        return Err(UsageError(
            "--demo brings its own models, so --models would change nothing; leave one of them out"
                .into(),
        )
        .into());
    }
    demo::unpack()
}

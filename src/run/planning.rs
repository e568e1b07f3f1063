//! From an experiment file and the command line to a plan: everything that can be checked before anything long starts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use checkpoint::musicgen::MusicgenConfig;
use foreign::Foreign;
use foreign::words;
use process::progress::note;

use super::RUNS;
use super::crops::RecordedCrops;
use super::folder::check_writable;
use super::making::Making;
use super::named;
use super::plan::{Pending, PendingRun, Plan, limit_of};
use super::source::{self, SourceRun};
use super::told::{note_source, note_without_taste};
use crate::args::{RunArgs, default_models};
use crate::card::{Card, Kind};
use crate::demo::{self, Demo};
use crate::engines::{self, Variables};
use crate::exit::UsageError;
use crate::experiment::{Draft, Input, Overrides, RunPieces};
use crate::model;
use crate::notebook;
use crate::shard::Shard;
use crate::spec::{Captions, descriptions};
use crate::tasks;

/// Check one experiment file under the command line's settings. Every piece is decoded and every card read; no model
/// is loaded, and nothing is fetched but a file of prompts or captions.
pub fn plan(path: &Path, args: &RunArgs) -> Result<Plan> {
    let path = &named::experiment(path)?;
    let demo = args.demo.then(|| unpack_demo(args)).transpose()?;
    let overrides = Overrides {
        set: args.set.clone(),
        seed: args.seed,
        limit: args.limit,
        demo: demo.as_ref().map(Demo::shrink),
    };
    let draft = tasks::open(path, &overrides)?;
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
    let making = match experiment.task.input() {
        Input::Made(generation) => Some(Making {
            generation: generation.clone(),
            card: Card::find_kind(Kind::Musicgen, &generation.model, &models)?,
            config: None,
        }),
        _ => None,
    };
    let plan = Plan {
        file: path.to_owned(),
        clips: Vec::new(),
        unread: Vec::new(),
        skipped: Vec::new(),
        cards,
        making,
        notebook: match &experiment.notebook {
            Some(name) => notebook::beside(path, name, &experiment.word)?,
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
        batch: args.batch.pieces(),
        demo: args.demo,
        offline: args.models.offline,
        fresh: args.fresh,
        shard: shard(args)?,
        local_scratch: args.local_scratch.clone(),
        no_compute: args.no_compute,
        require_alike: args.require_alike,
        skip_bad: args.skip_bad,
        experiment,
    };
    let task = plan.experiment.task.clone();
    let mut plan = match task.input() {
        Input::Texts { .. } => with_texts(plan, draft)?,
        Input::Made(_) => to_be_made(plan, draft)?,
        Input::Found(_) | Input::Sets(_) => with_pieces(plan, draft, path, args)?,
    };
    // Those that are on the hub yet are checked once they are fetched.
    for card in &plan.cards {
        model::check_if_here(card)?;
    }
    check_writable(&plan.folder)?;
    let pieces = match plan.shard {
        None => plan.without_file(),
        Some(_) => 0,
    };
    let arms = plan.cards.len();
    if let Some(making) = &mut plan.making {
        if let Some(checkpoint) = model::check_if_here(&making.card)? {
            let config = MusicgenConfig::read(&checkpoint)?;
            making.settings(&plan.experiment.name, &config)?;
            making.config = Some(config);
        }
        // A share looks at the room for its own.
        if plan.shard.is_none() {
            making.check_room(&making.sizes(), &plan.folder, pieces, arms)?;
        }
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

fn shard(args: &RunArgs) -> Result<Option<Shard>, UsageError> {
    let shard = |asked| engines::shard(asked, &Variables::here());
    args.shard.map(shard).transpose()
}

/// The plan with the texts that it embeds.
fn with_texts(mut plan: Plan, draft: Draft) -> Result<Plan> {
    let path = match draft.captions() {
        Some(Captions::Path(path)) => path.clone(),
        Some(Captions::Hub(file)) => hub::fetch(file, plan.offline).context("captions")?.path,
        None => PathBuf::new(),
    };
    plan.texts = draft.texts(&path)?;
    plan.experiment = draft.resolve(None, Vec::new())?;
    Ok(plan)
}

/// The plan with the pieces that it makes.
fn to_be_made(mut plan: Plan, draft: Draft) -> Result<Plan> {
    let most = descriptions::MAX_BYTES;
    let fetched = draft
        .download()
        .map(|d| hub::fetch_pinned(&d.url, &d.sha256, most, plan.offline))
        .transpose()?;
    plan.experiment = draft.resolve(fetched.as_deref(), Vec::new())?;
    note_without_taste(&plan.experiment);
    Ok(plan)
}

/// The plan with its pieces: found, or to be made by other runs before it.
fn with_pieces(mut plan: Plan, draft: Draft, path: &Path, args: &RunArgs) -> Result<Plan> {
    let from: Vec<Option<String>> = draft
        .from()
        .into_iter()
        .map(|from| from.map(str::to_owned))
        .collect();
    if from.iter().all(Option::is_none) {
        plan.experiment = draft.resolve(None, Vec::new())?;
        return plan.look();
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
            PendingRun::Here(source) => source.pieces(limit_of(i, limit), true).map(Some),
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

/// The plan of the experiment `from`, whose file lies beside `path`, under the same command line but for what is about
/// one experiment alone.
fn plan_before(from: &str, set: usize, draft: &Draft, path: &Path, args: &RunArgs) -> Result<Plan> {
    let key = draft.from_key(set);
    let file = named::experiment_beside(path, from);
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
    let found = tasks::open(&file, &Overrides::default())?;
    let found = found.experiment();
    let problem = match (found.task.input(), found.name == from) {
        (Input::Made(_), true) => None,
        (Input::Made(_), false) => Some(words!(
            "is the experiment {}, not {}",
            Foreign::new(&found.name),
            Foreign::new(from)
        )),
        _ => Some("makes no pieces; name an experiment that is `task: generate`".into()),
    };
    if let Some(problem) = problem {
        let message = words!("{} {}", file.display(), problem);
        return Err(draft.invalid(&key, message).into());
    }
    plan(&file, &args.of_first(file.clone()))
}

/// The demo brings its own models: asking for others with it is a mistake.
fn unpack_demo(args: &RunArgs) -> Result<Demo> {
    if args.models.models != default_models() {
        return Err(UsageError(
            "--demo brings its own models, so --models would change nothing; leave one of them out"
                .into(),
        )
        .into());
    }
    demo::unpack()
}

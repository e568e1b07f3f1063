//! A plan to results: pieces, embeddings into the journal, then CSVs, manifest and figures.

use std::fs;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, bail};
use foreign::{Foreign, words};
use ort_runtime::library;
use ort_runtime::{Runtime, trial};
use process::interrupt;
use process::progress::note;
use rayon::prelude::*;

use super::embed::embed;
pub use super::finish::Finished;
use super::finish::finish;
use super::folder::{cannot_use, claim};
use super::looked;
use super::make::{self, make};
use super::opened::opened;
use super::plan::{PendingRun, Plan};
use super::ready::Ready;
use super::scratch;
use super::shards::{self, Attempt, Header, Host, How, Own, Share};
use super::source::{self, FoundRun, SourceRun};
use super::store::{Store, has_results, wanted_or_beside};
use crate::exit::{self, UsageError};
use crate::shard::Shard;
use crate::spec::Piece;
use crate::tables::manifest::MANIFEST;

/// Shares that another version of this program computed are not put together with this one's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Run a plan to its end, from where an earlier process or its shares left it. A run that its pieces come from is made first.
///
/// `runtime` is opened when something is left to compute, and stays open for the next plan: a process has one.
pub fn run(plan: Plan, runtime: &mut Option<Runtime>) -> Result<Finished> {
    let started = (SystemTime::now(), Instant::now());
    // Before a download that would be in vain without it.
    let library = library::find_or_install(plan.runtime.ep, plan.offline)?;
    let options = plan.runtime.session_options();
    let open = || Ok(trial::open(&library, options)?);
    let ready = Ready::prepare(&plan, false, &mut || opened(runtime, open).cloned())?;
    let plan = after(plan, runtime)?;
    let counted = ready.counted(&plan, &library)?;
    let identity = counted.identity()?;
    let mut store = Store::open(&plan.folder, &identity, plan.fresh)?;
    interrupt::listen();
    if !plan.fresh {
        shards::take(&mut store, &plan, &identity, &counted)?;
    }
    check_shares(&plan, &store)?;
    compute(&plan, &ready, &Share::All, &mut store, &open, runtime)?;
    // What is left is made from the journal again in seconds or minutes, and every file appears whole.
    interrupt::check()?;
    interrupt::end_at_once();
    finish(&plan, &ready, &store, &identity, &library, started)
}

/// The pieces and embeddings of `share` that the journal does not have yet.
fn compute(
    plan: &Plan,
    ready: &Ready,
    share: &Share,
    store: &mut Store,
    open: &dyn Fn() -> Result<Runtime>,
    runtime: &mut Option<Runtime>,
) -> Result<()> {
    if let (Some(making), Some(generator)) = (&plan.making, &ready.generator) {
        make(plan, making, share, generator, store, open, runtime)?;
    }
    let is_heard = |place: usize| {
        let key = plan.experiment.pieces[place].key();
        let mut arms = ready.arms.iter();
        share.has_piece(place) && arms.any(|arm| !store.journal.has_clip(&arm.name, &key))
    };
    let unread = plan.unread.par_iter().enumerate();
    let unread = unread.filter(|(place, unread)| **unread && is_heard(*place));
    looked::check(unread.map(|(place, _)| (&plan.experiment.pieces[place], &plan.clips[place])))?;
    for arm in ready.arms.iter().enumerate() {
        embed(plan, arm, share, store, open, runtime)
            .with_context(|| format!("arm '{}'", arm.1.name))?;
    }
    Ok(())
}

/// Compute a share of a plan; gives the run folder. What it needs is there already: see [`prepare`](super::prepare).
pub fn run_share(plan: Plan, shard: Shard, runtime: &mut Option<Runtime>) -> Result<PathBuf> {
    if let Some(first) = plan.pending.iter().flat_map(|p| p.plans()).next() {
        return Err(UsageError(words!(
            "{} takes its pieces from {}, which has no finished run; run that one first, or its shares",
            Foreign::new(&plan.experiment.name),
            Foreign::new(&first.experiment.name)
        ))
        .into());
    }
    let mut library = library::find_or_install(plan.runtime.ep, true)?;
    // What exports, and so needs it open, is not there or is found.
    let mut ready = Ready::prepare(&plan, true, &mut || bail!("a share exports no graphs"))?;
    let counted = ready.counted(&plan, &library)?;
    let identity = counted.identity()?;
    let folder = wanted_or_beside(&plan.folder, &identity, |folder| {
        fs::create_dir_all(folder).with_context(|| cannot_use(folder))?;
        let is_ours = claim(folder, &identity, |f| has_results(f, &identity))?;
        Ok(is_ours.then(|| folder.to_owned()))
    })?;
    if folder.join(MANIFEST).exists() {
        note(format!(
            "{} holds a finished run; there is nothing to compute",
            folder.display()
        ));
        return Ok(folder);
    }
    shards::check_count(&folder, shard)?;
    let (share, pieces, lines) = plan.share(shard);
    let before = shards::attempts(&folder, shard)?;
    let ours = |attempt: &Attempt| {
        attempt.header.identity == identity.full() && attempt.header.version == VERSION
    };
    let before: Vec<Attempt> = before.into_iter().filter(ours).collect();
    if before.iter().any(Attempt::is_done) {
        note(format!(
            "share {shard} in {} is done already",
            folder.display()
        ));
        return Ok(folder);
    }
    if let Some(scratch) = &plan.local_scratch {
        library = scratch::localise(scratch, &mut ready, library)?;
    }
    let options = plan.runtime.session_options();
    let open = || Ok(trial::open(&library, options)?);
    let before = before.into_iter().map(|attempt| attempt.folder);
    let known: Vec<PathBuf> = std::iter::once(folder.clone()).chain(before).collect();
    let own = Own::begin(
        &folder,
        Header {
            shard,
            version: VERSION.to_owned(),
            identity: identity.full().to_owned(),
            parts: counted.parts()?,
            host: Host::here(plan.runtime.ep, plan.runtime.device),
            provider: plan.runtime.ep.to_string(),
            precision: plan.runtime.precision.to_string(),
            threads: plan.runtime.threads(),
            pieces,
            lines,
            started: shards::now(),
        },
    )?;
    let computed = Store::of_attempt(&own.attempt.folder, &known).and_then(|mut store| {
        interrupt::listen();
        compute(&plan, &ready, &share, &mut store, &open, runtime)
    });
    interrupt::end_at_once();
    let (how, said) = match &computed {
        Ok(()) => (How::Done, None),
        Err(e) if exit::is_interruption(e) => (How::Interrupted, None),
        Err(e) => (How::Failed, Some(exit::message(e))),
    };
    let ended = own.end(how, said);
    computed?;
    ended.with_context(|| cannot_use(&own.attempt.folder))?;
    Ok(folder)
}

/// That nothing is missing where nothing may be computed, and that the processors of the shares that were taken are alike,
/// with this one where it computes the rest.
fn check_shares(plan: &Plan, store: &Store) -> Result<()> {
    let shares = &store.shares;
    if shares.is_empty() && !plan.no_compute {
        return Ok(());
    }
    let lacking = lacking(plan, store);
    if plan.no_compute && !lacking.is_empty() {
        bail!(
            "{0} lacks {1}; compute the shares that are missing (harness status {0} names them), or leave out --no-compute",
            store.folder.display(),
            lacking.join(", ")
        );
    }
    let here = Host::here(plan.runtime.ep, plan.runtime.device);
    let here = (!shares.is_empty() && !lacking.is_empty()).then_some(&here);
    shards::check_alike(shares, here, plan.require_alike)
}

/// What the journal does not have yet, in words: `2 of 100 pieces`.
fn lacking(plan: &Plan, store: &Store) -> Vec<String> {
    let pieces = &plan.experiment.pieces;
    let mut lacking = Vec::new();
    let mut count = |what: String, found: usize, all: usize| {
        if found < all {
            lacking.push(format!("{} of {all} {what}", all - found));
        }
    };
    if plan.making.is_some() {
        // What is not what was written counts where it cannot be made again; elsewhere `make` finds and tells it.
        let is_there = |piece: &&Piece| {
            store.journal.piece(&piece.id).is_some() && store.file_of(plan, piece).exists()
        };
        let missing = match plan.no_compute {
            true => make::missing(plan, &Share::All, store).len(),
            false => pieces.len() - pieces.iter().filter(is_there).count(),
        };
        count("pieces".to_owned(), pieces.len() - missing, pieces.len());
    }
    let texts = plan.texts_to_read();
    for arm in plan.experiment.arms.iter().map(|arm| &arm.name) {
        let clip = |piece: &&Piece| store.journal.has_clip(arm, &piece.key());
        let text = |text: &&&str| store.journal.has_text(arm, text);
        let (clips, read) = (pieces.iter().filter(clip), texts.iter().filter(text));
        count(
            format!("embeddings of pieces under arm '{arm}'"),
            clips.count(),
            pieces.len(),
        );
        count(
            format!("embeddings of texts under arm '{arm}'"),
            read.count(),
            texts.len(),
        );
    }
    lacking
}

/// The plan with the pieces of the runs that it waits for. Such a run may have been finished since the plan was made, by
/// another experiment of the same command.
fn after(mut plan: Plan, runtime: &mut Option<Runtime>) -> Result<Plan> {
    let Some(pending) = plan.pending.take() else {
        return Ok(plan);
    };
    let (draft, runs) = pending.into_parts();
    let mut sources = Vec::with_capacity(runs.len());
    for pending in runs {
        let key = draft.from_key(sources.len());
        sources.push(match pending {
            PendingRun::None => None,
            PendingRun::Here(source) => Some(source),
            PendingRun::First(first) => {
                let folder = match made_since(&first)? {
                    Some(found) => found.folder,
                    None => {
                        let name = &first.experiment.name;
                        note(format!(
                            "{} takes its pieces from {name}, which has no finished run: it is made first ({})",
                            plan.experiment.name,
                            first.work()
                        ));
                        run(*first, runtime)?.folder
                    }
                };
                Some(SourceRun::open(&folder, &key)?)
            }
        });
    }
    plan.attach(draft, sources)
}

/// The folder of the run of this plan, if it has been made since.
fn made_since(plan: &Plan) -> Result<Option<FoundRun>> {
    let (name, limit) = (&plan.experiment.name, plan.experiment.limit);
    source::find(name, limit, plan.demo, "audio.from")
}

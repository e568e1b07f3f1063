//! A plan to results: pieces, embeddings into the journal, then CSVs, manifest and figures.

use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use ort_runtime::library;
use ort_runtime::{Runtime, trial};
use process::interrupt;
use process::progress::note;

use super::embed::embed;
pub use super::finish::Finished;
use super::finish::finish;
use super::make::make;
use super::opened::opened;
use super::plan::{PendingRun, Plan};
use super::ready::Ready;
use super::source::{self, FoundRun, SourceRun};
use super::store::Store;

/// Run a plan to its end, from where an earlier process left it. A run that its pieces come from is made first.
///
/// `runtime` is opened when something is left to compute, and stays open for the next plan: a process has one.
pub fn run(plan: Plan, runtime: &mut Option<Runtime>) -> Result<Finished> {
    let started = (SystemTime::now(), Instant::now());
    // Before a download that would be in vain without it.
    let library = library::find_or_install(plan.runtime.ep, plan.offline)?;
    let options = plan.runtime.session_options();
    let open = || Ok(trial::open(&library, options)?);
    let ready = Ready::prepare(&plan, &mut || opened(runtime, open).cloned())?;
    let plan = after(plan, runtime)?;
    let identity = ready.identity(&plan, &library)?;
    let mut store = Store::open(&plan.folder, &identity, plan.fresh)?;
    interrupt::listen();
    if let (Some(making), Some(generator)) = (&plan.making, &ready.generator) {
        make(&plan, making, generator, &mut store, open, runtime)?;
    }
    for arm in &ready.arms {
        embed(&plan, arm, &mut store, open, runtime)
            .with_context(|| format!("arm '{}'", arm.name))?;
    }
    // What is left is made from the journal again in seconds or minutes, and every file appears whole.
    interrupt::check()?;
    interrupt::end_at_once();
    finish(&plan, &ready, &store, &identity, &library, started)
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

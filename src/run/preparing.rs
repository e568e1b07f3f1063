//! Everything that a run needs, before anything is computed: for machines without a network, and before many tasks begin.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ort_runtime::Runtime;
use ort_runtime::{library, trial};

use super::looked;
use super::opened::opened;
use super::plan::Plan;
use super::ready::Ready;
use super::shards::{Attempt, attempts, check_count};
use super::store::folder_of;
use crate::exit::UsageError;
use crate::shard::Shard;
use crate::tables::manifest::MANIFEST;

/// What a run has once it is prepared.
#[derive(Debug)]
pub struct Prepared {
    /// Each model's card, and what it is.
    pub models: Vec<(String, String)>,
    /// The run folder, which may not be there yet.
    pub folder: PathBuf,
    /// Its results are there.
    pub finished: bool,
}

/// Install the library, fetch, check and export every model of a plan, and keep what was found of its pieces; not of the runs
/// that it waits for.
pub fn prepare(plan: &Plan, runtime: &mut Option<Runtime>) -> Result<Prepared> {
    let library = library::find_or_install(plan.runtime.ep, plan.offline)?;
    let options = plan.runtime.session_options();
    let open = || Ok(trial::open(&library, options)?);
    let ready = Ready::prepare(plan, false, &mut || opened(runtime, open).cloned())?;
    looked::keep(&plan.folder, &plan.experiment.pieces, &plan.clips)?;
    let models = ready.generator.iter().chain(&ready.arms);
    let models = models.map(|model| {
        let card = model.model.card.name.clone();
        (card, model.export.architecture.clone())
    });
    let folder = match plan.pending {
        Some(_) => plan.folder.clone(),
        None => folder_of(&plan.folder, &ready.counted(plan, &library)?.identity()?)?,
    };
    Ok(Prepared {
        models: models.collect(),
        finished: plan.pending.is_none() && folder.join(MANIFEST).exists(),
        folder,
    })
}

/// Of `of` shares of the run in `folder`, those that are not done.
///
/// # Errors
/// When the folder has shares of another number.
pub fn shares_left(folder: &Path, of: usize) -> Result<Vec<usize>> {
    let shard = |index| Shard::new(index, of).map_err(UsageError);
    check_count(folder, shard(1)?)?;
    let mut left = Vec::new();
    for index in 1..=of {
        if !attempts(folder, shard(index)?)?
            .iter()
            .any(Attempt::is_done)
        {
            left.push(index);
        }
    }
    Ok(left)
}

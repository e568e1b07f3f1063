//! Runs that an experiment takes its pieces from and that are to be made first.

use anyhow::Result;

use super::plan::Plan;
use super::source::{self, FoundRun, SourceRun};
use crate::spec::Draft;

/// An experiment that waits for other runs.
#[derive(Debug)]
pub struct Pending {
    pub(super) draft: Draft,
    /// Of each set of pieces.
    pub runs: Vec<PendingRun>,
}

/// Where a set of pieces comes from.
#[derive(Debug)]
pub enum PendingRun {
    /// No run.
    None,
    Here(SourceRun),
    /// One that has to be made first.
    First(Box<Plan>),
}

impl Pending {
    pub(super) fn into_parts(self) -> (Draft, Vec<PendingRun>) {
        (self.draft, self.runs)
    }

    /// The plans of the runs that have to be made first.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.runs.iter().filter_map(|run| match run {
            PendingRun::First(plan) => Some(&**plan),
            _ => None,
        })
    }
}

/// The folder of the run of this plan, if it has been made since.
pub(super) fn made_since(plan: &Plan) -> Result<Option<FoundRun>> {
    let (name, limit) = (&plan.experiment.name, plan.experiment.limit);
    source::find(name, limit, plan.demo, "audio.from")
}

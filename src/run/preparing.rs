//! Everything that a run needs, before anything is computed: for machines without a network, and before many tasks begin.

use anyhow::Result;
use ort_runtime::Runtime;
use ort_runtime::{library, trial};

use super::opened::opened;
use super::plan::Plan;
use super::ready::Ready;

/// Install the library, and fetch, check and export every model of a plan and of the runs that it waits for. Gives each model's
/// card and what it is.
pub fn prepare(plan: &Plan, runtime: &mut Option<Runtime>) -> Result<Vec<(String, String)>> {
    let library = library::find_or_install(plan.runtime.ep, plan.offline)?;
    let options = plan.runtime.session_options();
    let open = || Ok(trial::open(&library, options)?);
    let mut found = Vec::new();
    let first = plan.pending.iter().flat_map(|pending| pending.plans());
    for plan in first.chain([plan]) {
        let ready = Ready::prepare(plan, false, &mut || opened(runtime, open).cloned())?;
        let models = ready.generator.iter().chain(&ready.arms);
        found.extend(models.map(|model| {
            let card = model.model.card.name.clone();
            (card, model.export.architecture.clone())
        }));
    }
    Ok(found)
}

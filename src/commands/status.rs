//! `harness status`: how far the shares of a run are.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use foreign::{Foreign, words};
use process::progress::result;

use crate::exit::UsageError;
use crate::run::status::{State, status};
use crate::tables::aligned;

/// Shares that are told one by one; of more, only those that are not done.
const ALL: usize = 32;
/// Of an error.
const SHOWN: usize = 200;

pub(crate) fn tell(run_dir: &Path) -> Result<()> {
    let Some(status) = status(run_dir)? else {
        return Err(UsageError(words!(
            "{} has no shares: they are made with harness run --shard",
            run_dir.display()
        ))
        .into());
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, state) in &status.shares {
        *counts.entry(word(state)).or_default() += 1;
    }
    let told = ["done", "under way", "interrupted", "failed", "missing"];
    let told = told
        .iter()
        .filter_map(|word| Some(format!("{} {word}", counts.get(word)?)));
    let told: Vec<String> = told.collect();
    let mut out = format!("{} shares: {}\n", status.shares.len(), told.join(", "));
    let few = status.shares.len() <= ALL;
    let rows: Vec<Vec<String>> = status
        .shares
        .iter()
        .filter(|(_, state)| few || *state != State::Done)
        .map(|(shard, state)| {
            let told = Foreign::within(state.told(), SHOWN).to_string();
            vec![format!("  {shard}"), told]
        })
        .collect();
    out.push_str(&aligned::table(&rows, 2));
    if status.finished {
        out.push_str("put together: the run is finished\n");
    } else if let Some(left) = status.left() {
        out.push_str(&format!(
            "{:.1} a second, {} left\n",
            status.rate,
            humantime::format_duration(left)
        ));
    }
    Ok(result(out)?)
}

fn word(state: &State) -> &'static str {
    match state {
        State::Done => "done",
        State::UnderWay { .. } => "under way",
        State::Interrupted { .. } => "interrupted",
        State::Failed(_) => "failed",
        State::Missing => "missing",
    }
}

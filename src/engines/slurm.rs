//! Slurm: an array says its whole range, <https://slurm.schedmd.com/job_array.html>.

use foreign::{Words, words};

use super::{COUNT, Engine, Variables, of_count};
use crate::shard::Shard;

const ID: &str = "SLURM_ARRAY_TASK_ID";
const MIN: &str = "SLURM_ARRAY_TASK_MIN";
const MAX: &str = "SLURM_ARRAY_TASK_MAX";
const STEP: &str = "SLURM_ARRAY_TASK_STEP";
const TASKS: &str = "SLURM_ARRAY_TASK_COUNT";

pub(super) const ENGINE: Engine = Engine {
    variables: &[ID, MIN, MAX, STEP, TASKS],
    shard,
};

fn shard(variables: &Variables) -> Result<Option<Shard>, Words> {
    // Where only some tasks were submitted again, Slurm says how many those are, and the job of how many.
    if variables.get(ID).is_some() && variables.get(COUNT).is_some() {
        return of_count(variables, ID, 1);
    }
    let Some(id) = variables.number(ID)? else {
        return Ok(None);
    };
    let needed = |name: &'static str| {
        let found = variables.number(name)?;
        found.ok_or_else(|| words!("{} is set, and {} is not set", ID, name))
    };
    let (min, max, count) = (needed(MIN)?, needed(MAX)?, needed(TASKS)?);
    let step = variables.number(STEP)?.unwrap_or(1);
    let span = count.checked_sub(1).and_then(|gaps| gaps.checked_mul(step));
    let regular = step > 0 && span.and_then(|span| min.checked_add(span)) == Some(max);
    let place = id.checked_sub(min).filter(|_| regular && id <= max);
    match place {
        Some(place) if place.is_multiple_of(step) => Shard::new(place / step + 1, count).map(Some),
        _ => Err(words!(
            "these do not go together: {}; for an array that is no regular range set {} to the number of shares in the job, \
             and number its tasks from 1",
            variables.shown(ENGINE.variables),
            COUNT
        )),
    }
}

//! What the engines of clusters tell a task of an array: which share it is to compute. One file an engine, one table.

mod hyperqueue;
mod job;
mod kubernetes;
mod shell;
mod slurm;

use std::collections::HashMap;

use foreign::{Foreign, Words, hint, words};

pub use job::{Job, Submission, Word, number, quoted};

use crate::exit::UsageError;
use crate::shard::{Shard, ShardArg};

/// An engine: what it is handed, and what it sets for a task.
pub struct Engine {
    /// As `--to` names it; empty for what nothing is handed to.
    pub name: &'static str,
    /// What it is handed for a job; its words come from this function: see [`Ask`].
    pub submit: fn(&Job, &Ask<'_>) -> Result<Submission, Words>,
    /// Of one whose steps are run here; those of others are told, for people to run.
    pub queue: Option<Queue>,
    /// Its variables, as a message shows them.
    variables: &'static [&'static str],
    /// The share that they name; `None` when they are not set.
    shard: fn(&Variables) -> Result<Option<Shard>, Words>,
}

/// How an engine answers.
pub struct Queue {
    /// How many tasks of the jobs that it called so still wait or run.
    pub left: fn(&[String], &Ask<'_>) -> usize,
    /// What a job is called, in the words of the engine's own command.
    pub id: fn(&str) -> Option<String>,
}

/// Asks a command of the engine for its words; `None` where it cannot be run.
pub type Ask<'a> = dyn Fn(&[&str]) -> Option<String> + 'a;

const ENGINES: &[Engine] = &[
    slurm::ENGINE,
    hyperqueue::ENGINE,
    kubernetes::ENGINE,
    shell::ENGINE,
];

/// The engine that `--to` names.
///
/// # Errors
/// Names those that there are.
pub fn named(name: &str) -> Result<&'static Engine, UsageError> {
    let names: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
    let found = ENGINES.iter().find(|engine| engine.name == name);
    found.ok_or_else(|| {
        let (name, hint) = (Foreign::new(name), hint(name, &names));
        UsageError(words!("--to {}: no such engine{}", name, hint))
    })
}

/// Of how many shares an array is, where its engine does not say: to be set in the job.
const COUNT: &str = "HARNESS_SHARDS";

/// The environment of a task.
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// That of this process.
    pub fn here() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let all = std::env::vars_os();
        Self(all.map(|(name, value)| (text(name), text(value))).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A whole number; an empty or other value is an error that shows it.
    fn number(&self, name: &str) -> Result<Option<usize>, Words> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(words!(
                "{} is '{}', which is no whole number",
                Foreign::new(name),
                Foreign::new(value)
            )),
        }
    }

    /// `NAME=value, ...` of those that are set.
    fn shown(&self, names: &[&str]) -> Words {
        let set = names.iter().filter_map(|name| {
            let value = self.get(name)?;
            Some(words!("{}={}", Foreign::new(name), Foreign::new(value)))
        });
        Words::join(set, ", ")
    }
}

/// The share of the task `number`, counted from `first`, where the job says in [`COUNT`] of how many.
fn of_count(
    variables: &Variables,
    name: &'static str,
    first: usize,
) -> Result<Option<Shard>, Words> {
    let Some(number) = variables.number(name)? else {
        return Ok(None);
    };
    let Some(count) = variables.number(COUNT)? else {
        return Err(words!(
            "{} is set, and of how many tasks it is one does not stand there; set {} to their number in the job",
            name,
            COUNT
        ));
    };
    let wrong = |message| {
        let shown = variables.shown(&[name, COUNT]);
        words!("{} (counted from {}): {}", shown, first, message)
    };
    match number.checked_sub(first) {
        Some(below) => Shard::new(below + 1, count).map(Some).map_err(wrong),
        None => Err(wrong(words!("there is no task {}", number))),
    }
}

/// The share that was asked for, or that which the engine of this task says.
///
/// # Errors
/// When no engine says one, one contradicts itself, or two contradict each other; the message shows the variables.
pub fn shard(asked: ShardArg, variables: &Variables) -> Result<Shard, UsageError> {
    if let ShardArg::Given(shard) = asked {
        return Ok(shard);
    }
    let wrong = |message: Words| UsageError(words!("--shard auto: {}", message));
    let mut found: Option<(&Engine, Shard)> = None;
    for engine in ENGINES {
        let Some(shard) = (engine.shard)(variables).map_err(wrong)? else {
            continue;
        };
        match found {
            Some((other, before)) if before != shard => {
                return Err(wrong(words!(
                    "{} asks for share {}, and {} for share {}; unset one of them, or name the share: --shard {}",
                    variables.shown(other.variables),
                    before,
                    variables.shown(engine.variables),
                    shard,
                    before
                )));
            }
            Some(_) => {}
            None => found = Some((engine, shard)),
        }
    }
    match found {
        Some((_, shard)) => Ok(shard),
        None => Err(wrong(words!(
            "no engine says which share this task is to compute: none of {} is set; name it: --shard 3/16",
            Words::join(
                ENGINES
                    .iter()
                    .filter_map(|engine| engine.variables.first().copied()),
                ", "
            )
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(set: &[(&'static str, &'static str)]) -> Result<String, String> {
        let set = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        match shard(ShardArg::Auto, &Variables(set.collect())) {
            Ok(shard) => Ok(shard.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    const ARRAY: [(&str, &str); 5] = [
        ("SLURM_ARRAY_TASK_ID", "6"),
        ("SLURM_ARRAY_TASK_MIN", "2"),
        ("SLURM_ARRAY_TASK_MAX", "8"),
        ("SLURM_ARRAY_TASK_STEP", "2"),
        ("SLURM_ARRAY_TASK_COUNT", "4"),
    ];

    #[test]
    fn every_engine_says_its_share() {
        for (set, share) in [
            (&[("HARNESS_SHARD", "3/16")][..], "3/16"),
            (&ARRAY, "3/4"),
            (&[("HQ_TASK_ID", "0"), (COUNT, "8")], "1/8"),
            (&[("JOB_COMPLETION_INDEX", "7"), (COUNT, "8")], "8/8"),
            // Some of an array, submitted again: the job says of how many.
            (
                &[
                    ("SLURM_ARRAY_TASK_ID", "9"),
                    ("SLURM_ARRAY_TASK_MIN", "3"),
                    ("SLURM_ARRAY_TASK_MAX", "9"),
                    ("SLURM_ARRAY_TASK_COUNT", "3"),
                    (COUNT, "16"),
                ],
                "9/16",
            ),
            // Two that agree.
            (
                &[("HQ_TASK_ID", "2"), (COUNT, "8"), ("HARNESS_SHARD", "3/8")],
                "3/8",
            ),
        ] {
            assert_eq!(auto(set).as_deref(), Ok(share), "{set:?}");
        }
    }

    #[test]
    fn what_is_empty_or_contradicts_is_shown() {
        let without = |name: &str| -> Vec<(&'static str, &'static str)> {
            ARRAY.into_iter().filter(|(n, _)| *n != name).collect()
        };
        let with = |name: &'static str, value: &'static str| {
            let mut set = without(name);
            set.push((name, value));
            set
        };
        for (set, told) in [
            (
                vec![],
                "none of SLURM_ARRAY_TASK_ID, HQ_TASK_ID, JOB_COMPLETION_INDEX, HARNESS_SHARD is set",
            ),
            (vec![("HARNESS_SHARD", "")], "HARNESS_SHARD: '' is no share"),
            (vec![("HARNESS_SHARD", "0/3")], "no share 0 of 3"),
            (
                with("SLURM_ARRAY_TASK_ID", ""),
                "SLURM_ARRAY_TASK_ID is '', which is no whole number",
            ),
            (
                without("SLURM_ARRAY_TASK_COUNT"),
                "SLURM_ARRAY_TASK_COUNT is not set",
            ),
            (with("SLURM_ARRAY_TASK_MAX", "9"), "SLURM_ARRAY_TASK_MAX=9"),
            (with("SLURM_ARRAY_TASK_ID", "5"), "SLURM_ARRAY_TASK_ID=5"),
            (with("SLURM_ARRAY_TASK_ID", "0"), "SLURM_ARRAY_TASK_ID=0"),
            (
                vec![("HQ_TASK_ID", "3")],
                "set HARNESS_SHARDS to their number",
            ),
            (
                vec![("HQ_TASK_ID", "8"), (COUNT, "8")],
                "HQ_TASK_ID=8, HARNESS_SHARDS=8 (counted from 0): there is no share 9 of 8",
            ),
            (
                vec![
                    ("HQ_TASK_ID", "1"),
                    ("JOB_COMPLETION_INDEX", "2"),
                    (COUNT, "8"),
                ],
                "HQ_TASK_ID=1 asks for share 2/8, and JOB_COMPLETION_INDEX=2 for share 3/8",
            ),
        ] {
            let error = auto(&set).unwrap_err();
            assert!(error.contains(told), "{set:?}: {error}");
        }
    }
}

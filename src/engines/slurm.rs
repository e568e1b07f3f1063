//! Slurm: an array of tasks, and a job that waits for all of them. <https://slurm.schedmd.com/job_array.html>

use std::collections::{BTreeMap, BTreeSet};

use foreign::{Words, words};

use super::job::{Job, Script, Step, Submission, Word, number, quote, quoted, ranges};
use super::{Ask, COUNT, Engine, Queue, Variables, of_count};
use crate::shard::Shard;

const ID: &str = "SLURM_ARRAY_TASK_ID";
const MIN: &str = "SLURM_ARRAY_TASK_MIN";
const MAX: &str = "SLURM_ARRAY_TASK_MAX";
const STEP: &str = "SLURM_ARRAY_TASK_STEP";
const TASKS: &str = "SLURM_ARRAY_TASK_COUNT";

/// The first number that no task of an array may have, unless the cluster says another.
const ARRAY_SIZE: usize = 1001;
/// Seconds before its time is over that a task is told.
const WARNED: usize = 120;

pub(super) const ENGINE: Engine = Engine {
    name: "slurm",
    submit,
    queue: Some(Queue {
        left: |ids, ask| {
            let ids = ids.join(",");
            let said = ask(&["squeue", "-h", "-r", "-o", "%i", "-j", &ids]);
            said.map_or(0, |said| said.lines().count())
        },
        // `--parsable`: the number, and behind a `;` the cluster.
        id: |said| number(said.split(';').next()?),
    }),
    variables: &[ID, MIN, MAX, STEP, TASKS],
    shard,
};

fn submit(job: &Job, ask: &Ask<'_>) -> Result<Submission, Words> {
    let most = array_size(ask).saturating_sub(1).max(1);
    // The numbers of an array's tasks are bounded, and so each array has an offset.
    let mut arrays: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for share in &job.missing {
        let offset = (share - 1) / most * most;
        arrays.entry(offset).or_default().insert(share - offset);
    }
    let sbatch = |more: Vec<Word>| Step {
        words: ["sbatch", "--parsable"]
            .into_iter()
            .map(Word::from)
            .chain(more)
            .collect(),
    };
    let extra = || job.extra.iter().cloned().map(Word::from);
    let mut steps: Vec<Step> = Vec::new();
    for (offset, tasks) in &arrays {
        let mut words = vec![Word::from(format!("--array={}", ranges(tasks)))];
        // Where that run does not come about, nothing stays in the queue for ever.
        if let Some(id) = &job.after {
            words.push("--kill-on-invalid-dep=yes".into());
            words.push(format!("--dependency=afterok:{id}").into());
        }
        words.extend(extra());
        words.push(job.script("share.sh").into());
        words.push(offset.to_string().into());
        steps.push(sbatch(words));
    }
    let mut words = Vec::new();
    if !steps.is_empty() {
        words.push(Word::Ids {
            before: "--dependency=afterany:",
            steps: (0..steps.len()).collect(),
        });
    }
    words.extend(extra());
    words.push(job.script("join.sh").into());
    steps.push(sbatch(words));
    Ok(Submission {
        scripts: vec![
            Script {
                name: "share.sh",
                text: share(job),
            },
            Script {
                name: "join.sh",
                text: join(job),
            },
        ],
        steps,
    })
}

/// `MaxArraySize` of the cluster.
fn array_size(ask: &Ask<'_>) -> usize {
    let said = ask(&["scontrol", "show", "config"]).unwrap_or_default();
    let line = said.lines().find(|line| line.starts_with("MaxArraySize"));
    let size = line.and_then(|line| line.split_once('=')?.1.trim().parse().ok());
    size.unwrap_or(ARRAY_SIZE)
}

fn head(job: &Job, what: &str, log: &str) -> String {
    format!(
        "#!/bin/bash\n# Written by harness submit.\n#SBATCH --job-name={}\n#SBATCH --output={}\n#SBATCH --open-mode=append\n",
        quote(&format!("{what}-{}", job.name)),
        quote(&job.script(log)),
    )
}

/// A task is told some time before its end and by `scancel`; it ends with 75 then, which asks to be queued again.
fn share(job: &Job) -> String {
    let mut command = quoted(&job.share);
    if !job.share.iter().any(|word| word == "--threads") {
        command += " ${SLURM_CPUS_PER_TASK:+--threads \"$SLURM_CPUS_PER_TASK\"}";
    }
    format!(
        "{head}#SBATCH --requeue\n#SBATCH --signal=B:USR1@{WARNED}\n\
         cd {here} || exit 1\n\
         {command} --shard \"$((SLURM_ARRAY_TASK_ID + $1))/{of}\" &\n\
         share=$!\n\
         trap 'kill -USR1 \"$share\"' USR1\n\
         trap 'kill -TERM \"$share\"' TERM\n\
         while kill -0 \"$share\" 2> /dev/null; do wait \"$share\"; done\n\
         wait \"$share\"\n\
         code=$?\n\
         if [ \"$code\" = 75 ]; then scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}\"; fi\n\
         exit \"$code\"\n",
        head = head(job, "share", "%A_%a.log"),
        here = quote(&job.here.display().to_string()),
        of = job.of,
    )
}

fn join(job: &Job) -> String {
    format!(
        "{}cd {} || exit 1\nexec {}\n",
        head(job, "join", "%j.log"),
        quote(&job.here.display().to_string()),
        quoted(&job.join)
    )
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn job(missing: &[usize]) -> Job {
        Job {
            name: "weights".into(),
            folder: "/w/runs/weights/submit".into(),
            here: "/w it".into(),
            share: ["harness", "run", "x.yaml", "--offline"]
                .map(str::to_owned)
                .to_vec(),
            join: ["harness", "run", "x.yaml", "--no-compute"]
                .map(str::to_owned)
                .to_vec(),
            missing: missing.to_vec(),
            of: 64,
            after: None,
            extra: vec!["--partition".into(), "gpu".into()],
        }
    }

    fn told(step: &Step) -> String {
        let words = step.words.iter().map(|word| match word {
            Word::Text(text) => text.clone(),
            Word::Ids { before, steps } => format!("{before}{steps:?}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_array_of_what_is_missing_and_a_job_behind_it() {
        let cluster = |_: &[&str]| Some("MaxArraySize            = 11\nX = 1\n".to_owned());
        let submission = submit(&job(&[1, 2, 3, 10, 11, 35]), &cluster).unwrap();
        let all_told: Vec<String> = submission.steps.iter().map(told).collect();
        let script = "--partition gpu /w/runs/weights/submit/";
        assert_eq!(
            all_told,
            [
                format!("sbatch --parsable --array=1-3,10 {script}share.sh 0"),
                format!("sbatch --parsable --array=1 {script}share.sh 10"),
                format!("sbatch --parsable --array=5 {script}share.sh 30"),
                format!("sbatch --parsable --dependency=afterany:[0, 1, 2] {script}join.sh"),
            ]
        );
        let second = Job {
            after: Some("7".into()),
            ..job(&[4])
        };
        let first = submit(&second, &cluster).unwrap().steps.remove(0);
        assert!(
            told(&first)
                .contains("--array=4 --kill-on-invalid-dep=yes --dependency=afterok:7 --partition")
        );
        let nobody = |_: &[&str]| None;
        let all: Vec<usize> = (1..=1500).collect();
        let submission = submit(&job(&all), &nobody).unwrap();
        assert_eq!(submission.steps.len(), 3);
        let share = &submission.scripts[0].text;
        assert!(
            share.contains(
                "cd '/w it' || exit 1\nharness run x.yaml --offline ${SLURM_CPUS_PER_TASK"
            )
        );
        assert!(share.contains("--shard \"$((SLURM_ARRAY_TASK_ID + $1))/64\" &\n"));
        let id = ENGINE.queue.unwrap().id;
        assert_eq!(id("123;here\n").as_deref(), Some("123"));
        assert_eq!(id("error"), None);
    }
}

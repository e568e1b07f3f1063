//! HyperQueue: an array of tasks, counted from 0, none of which is told of how many. <https://it4innovations.github.io/hyperqueue>

use std::collections::BTreeSet;

use foreign::Words;

use super::job::{Job, Script, Step, Submission, Word, number, quote, quoted, ranges};
use super::{Ask, Engine, Queue, of_count};

const TASK: &str = "HQ_TASK_ID";

pub(super) const ENGINE: Engine = Engine {
    name: "hyperqueue",
    submit,
    queue: Some(Queue {
        left: |ids, ask| {
            // `3 RUNNING`
            let said = ask(&[
                "hq",
                "--output-mode=quiet",
                "job",
                "list",
                "--filter",
                "waiting,running",
            ]);
            let said = said.unwrap_or_default();
            let jobs = said
                .lines()
                .filter_map(|line| line.split_whitespace().next());
            jobs.filter(|job| ids.iter().any(|id| id == job)).count()
        },
        id: number,
    }),
    variables: &[TASK],
    shard: |variables| of_count(variables, TASK, 0),
};

/// Its jobs cannot wait for each other: a job of one task waits for the array and puts the shares together.
fn submit(job: &Job, _: &Ask<'_>) -> Result<Submission, Words> {
    job.waits_for_none()?;
    let hq = |more: Vec<Word>| Step {
        words: ["hq", "--output-mode=quiet", "submit"]
            .into_iter()
            .map(Word::from)
            .chain(more)
            .collect(),
    };
    let extra = || job.extra.iter().cloned().map(Word::from);
    let mut steps = Vec::new();
    if !job.missing.is_empty() {
        let tasks: BTreeSet<usize> = job.missing.iter().map(|share| share - 1).collect();
        let mut words: Vec<Word> = vec![
            format!("--array={}", ranges(&tasks)).into(),
            format!("--name=share-{}", job.name).into(),
        ];
        words.extend(extra());
        words.extend(["bash".into(), job.script("share.sh").into()]);
        steps.push(hq(words));
    }
    let mut words: Vec<Word> = vec![format!("--name=join-{}", job.name).into()];
    words.extend(extra());
    words.extend(["bash".into(), job.script("join.sh").into()]);
    if !steps.is_empty() {
        words.push(Word::Ids {
            before: "",
            steps: vec![0],
        });
    }
    steps.push(hq(words));
    let here = quote(&job.here.display().to_string());
    Ok(Submission {
        scripts: vec![
            Script {
                name: "share.sh",
                text: format!(
                    "# Written by harness submit. 75 asks to be started again.\ncd {here} || exit 1\ncode=75\n\
                     while [ \"$code\" = 75 ]; do {} --shard \"$((HQ_TASK_ID + 1))/{}\"; code=$?; done\nexit \"$code\"\n",
                    quoted(&job.share),
                    job.of
                ),
            },
            Script {
                name: "join.sh",
                text: format!(
                    "# Written by harness submit.\ncd {here} || exit 1\n[ -z \"$1\" ] || hq job wait \"$1\"\nexec {}\n",
                    quoted(&job.join)
                ),
            },
        ],
        steps,
    })
}

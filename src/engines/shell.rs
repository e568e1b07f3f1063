//! No engine: the commands, one a line, for GNU parallel, ssh, or a scheduler that is not here. A job says its share itself.

use foreign::{Words, words};

use super::Engine;
use super::job::{Job, Step, Submission, quoted};
use crate::shard::Shard;

const SHARD: &str = "HARNESS_SHARD";

pub(super) const ENGINE: Engine = Engine {
    name: "shell",
    submit,
    queue: None,
    variables: &[SHARD],
    shard: |variables| {
        let shard = variables.get(SHARD).map(|text| text.parse::<Shard>());
        shard
            .transpose()
            .map_err(|message: Words| words!("{}: {}", SHARD, message))
    },
};

fn submit(job: &Job, _: &super::Ask<'_>) -> Result<Submission, Words> {
    let here = quoted(&[job.here.display().to_string()]);
    let line = |words: &[String]| Step {
        words: vec![format!("cd {here} && {}", quoted(words)).into()],
    };
    let shares = job.missing.iter().map(|index| {
        let shard = ["--shard".to_owned(), format!("{index}/{}", job.of)];
        line(&[&job.share[..], &shard].concat())
    });
    let mut steps: Vec<Step> = shares.collect();
    steps.push(line(&job.join));
    Ok(Submission {
        scripts: Vec::new(),
        steps,
    })
}

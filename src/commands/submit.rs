//! `harness submit`: a run in shares to an engine that a lab already runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use files::regular;
use foreign::{Foreign, words};
use ort_runtime::Runtime;
use process::child;
use process::progress::{note, result};

use crate::args::RunArgs;
use crate::engines::{self, Engine, Job, Submission, Word, quoted};
use crate::exit::UsageError;
use crate::run::{self, Plan};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness submit experiments/weights.yaml --to slurm --shards 64 -- --partition gpu --gres gpu:1 --time 2:00:00
  harness submit experiments/weights.yaml --to slurm --shards 64 --dry-run
  harness submit experiments/weights.yaml --to hyperqueue --shards 16
  harness submit experiments/weights.yaml --to shell --shards 4 > shares.txt

What needs the network is done here and now: the tasks run with --offline. Called again, it submits the shares that are missing.")]
pub struct SubmitArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// The engine: slurm, hyperqueue, kubernetes, shell
    #[arg(long, value_name = "ENGINE")]
    pub to: String,
    /// How many shares the work is cut into
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub shards: u32,
    /// Show the scripts and the calls, and hand over nothing
    #[arg(long)]
    pub dry_run: bool,
    /// For the engine's own command, behind --
    #[arg(last = true, value_name = "ENGINE ARGUMENTS")]
    pub engine: Vec<String>,
}

/// Beside the shares, in the run folder: scripts and the logs of their tasks.
const FOLDER: &str = "submit";
/// What the engine called the jobs of the last submission, one a line.
const JOBS: &str = "jobs";
/// Of that file [bytes].
const LARGEST: u64 = 1 << 20;

pub(crate) fn submit(args: &SubmitArgs) -> Result<()> {
    let engine = engines::named(&args.to)?;
    let run = &args.run;
    if run.shard.is_some() || run.fresh || run.no_compute {
        return Err(UsageError(
            "--shard, --fresh and --no-compute are for harness run: the tasks that this submits have their own".into(),
        )
        .into());
    }
    let mut runtime = None;
    for plan in super::run::plans(run)? {
        let mut after = None;
        for first in plan.pending.iter().flat_map(|pending| pending.plans()) {
            let of_first = run.of_first(first.file.clone());
            after = hand_over(engine, args, &of_first, first, None, &mut runtime)?;
        }
        hand_over(engine, args, run, &plan, after, &mut runtime)?;
    }
    Ok(())
}

/// One run; gives what the engine calls the job that ends it.
fn hand_over(
    engine: &Engine,
    args: &SubmitArgs,
    run: &RunArgs,
    plan: &Plan,
    after: Option<String>,
    runtime: &mut Option<Runtime>,
) -> Result<Option<String>> {
    let name = &plan.experiment.name;
    let prepared = run::prepare(plan, runtime)?;
    if prepared.finished {
        note(format!(
            "{}: {} holds the finished run",
            name,
            prepared.folder.display()
        ));
        return Ok(None);
    }
    let of = args.shards as usize;
    let missing = run::shares_left(&prepared.folder, of)?;
    let here = std::env::current_dir().context("cannot tell the working folder")?;
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let program = program.display().to_string();
    let command = |more: &[&str]| -> Vec<String> {
        let head = [program.clone(), "run".to_owned()];
        let more = more.iter().map(|word| (*word).to_owned());
        head.into_iter()
            .chain(run.words(&plan.file))
            .chain(more)
            .collect()
    };
    let scratch = run
        .local_scratch
        .as_ref()
        .map(|dir| dir.display().to_string());
    let mut share = vec!["--offline"];
    share.extend(scratch.iter().flat_map(|dir| ["--local-scratch", dir]));
    let job = Job {
        name: name.clone(),
        folder: here.join(&prepared.folder).join(FOLDER),
        here: here.clone(),
        share: command(&share),
        join: command(&["--offline", "--no-compute"]),
        missing,
        of,
        after,
        extra: args.engine.clone(),
    };
    let ask = |words: &[&str]| said(words, &here).ok();
    let submission = (engine.submit)(&job, &ask)
        .map_err(|message| UsageError(words!("--to {}: {}", engine.name, message)))?;
    let jobs = job.folder.join(JOBS);
    let before = ids_in(&jobs);
    let left = match &engine.queue {
        Some(queue) if !before.is_empty() => (queue.left)(&before, &ask),
        _ => 0,
    };
    if left > 0 {
        note(format!(
            "{name}: {left} tasks of the jobs {} wait or run, and nothing is submitted beside them; harness status {} tells how far \
             they are",
            before.join(", "),
            prepared.folder.display()
        ));
        return Ok(before.last().cloned());
    }
    if args.dry_run {
        return show(&job, &submission).map(|()| Some(format!("ID_OF_{}", name.to_uppercase())));
    }
    write_scripts(&job, &submission)?;
    let Some(queue) = &engine.queue else {
        show_steps(&submission)?;
        return Ok(Some(name.clone()));
    };
    let mut ids: Vec<String> = Vec::new();
    for step in &submission.steps {
        let words = filled(&step.words, &ids);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = said(&words, &here)?;
        let Some(id) = (queue.id)(&answer) else {
            bail!(
                "{} answered '{}', which names no job",
                words[0],
                Foreign::within(answer.trim(), 200)
            );
        };
        ids.push(id);
    }
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    files::write_bytes(&jobs, text.as_bytes())
        .with_context(|| format!("cannot write {}", jobs.display()))?;
    let last = ids.last().cloned();
    result(format!(
        "{name}: {} of {of} shares in {}, put together by {}; logs in {}",
        job.missing.len(),
        match ids.len() {
            0 | 1 => "none".to_owned(),
            n => ids[..n - 1].join(", "),
        },
        last.as_deref().unwrap_or("nobody"),
        job.folder.display()
    ))?;
    Ok(last)
}

/// None where nothing was submitted.
fn ids_in(path: &Path) -> Vec<String> {
    let read = files::in_its_folder(path).and_then(|path| regular::read_text(&path, LARGEST));
    let text = read.unwrap_or_default();
    text.lines().filter_map(engines::number).collect()
}

/// The words of a call, with what the engine called the steps before it.
fn filled(words: &[Word], ids: &[String]) -> Vec<String> {
    let fill = |word: &Word| match word {
        Word::Text(text) => text.clone(),
        Word::Ids { before, steps } => {
            let ids: Vec<&str> = steps
                .iter()
                .filter_map(|&step| ids.get(step))
                .map(String::as_str)
                .collect();
            format!("{before}{}", ids.join(":"))
        }
    };
    words.iter().map(fill).collect()
}

/// What a command of the engine says, run in `here`.
fn said(words: &[&str], here: &Path) -> Result<String> {
    let [program, arguments @ ..] = words else {
        bail!("there is nothing to call");
    };
    let mut command = child::command(program, here, None).with_context(|| {
        format!("there is no {program} here: run this where the engine's commands are")
    })?;
    let output =
        child::output(command.args(arguments)).with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{program} failed: {}", Foreign::said(error.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write_scripts(job: &Job, submission: &Submission) -> Result<()> {
    let cannot = |path: &PathBuf| format!("cannot write {}", path.display());
    std::fs::create_dir_all(&job.folder).with_context(|| cannot(&job.folder))?;
    for script in &submission.scripts {
        let path = files::inside(&job.folder, script.name).with_context(|| cannot(&job.folder))?;
        files::write_bytes(&path, script.text.as_bytes()).with_context(|| cannot(&path))?;
    }
    Ok(())
}

fn show(job: &Job, submission: &Submission) -> Result<()> {
    for script in &submission.scripts {
        result(format!("# {}\n{}", job.script(script.name), script.text))?;
    }
    show_steps(submission)
}

fn show_steps(submission: &Submission) -> Result<()> {
    let ids: Vec<String> = (1..=submission.steps.len())
        .map(|n| format!("ID_{n}"))
        .collect();
    for step in &submission.steps {
        let words = filled(&step.words, &ids);
        // A whole line of a shell, or words of a call.
        let line = match words.as_slice() {
            [line] => line.clone(),
            words => quoted(words),
        };
        result(line)?;
    }
    Ok(())
}

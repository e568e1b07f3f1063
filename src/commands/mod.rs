//! One file a subcommand.

pub(crate) mod cite;
pub(crate) mod diff;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod figures;
pub(crate) mod generate;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod models;
pub(crate) mod nearest;
pub(crate) mod providers;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod table;
pub(crate) mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use foreign::words;
use ort_runtime::fit::{self, Machine, Refusal};
use ort_runtime::{Runtime, library, trial};

use crate::args::RuntimeArgs;
use crate::exit::UsageError;

/// ONNX Runtime for these arguments.
fn open_runtime(args: &RuntimeArgs, library: &library::Library) -> Result<Runtime> {
    Ok(trial::open(library, args.session_options())?)
}

/// The same, opened once: a process has one.
fn opened(
    runtime: &mut Option<Runtime>,
    args: &RuntimeArgs,
    library: &library::Library,
) -> Result<Runtime> {
    crate::run::opened(runtime, || open_runtime(args, library)).cloned()
}

/// What a machine cannot do: the command line's fault where another one would do.
fn refused(refusal: Refusal) -> anyhow::Error {
    match refusal.is_usage() {
        true => UsageError(words!("{}", refusal)).into(),
        false => refusal.into(),
    }
}

/// What the arguments ask for can be had on this machine, and no part of the program takes more threads.
fn check_runtime(args: &RuntimeArgs) -> Result<()> {
    let machine = Machine::here(args.ep);
    fit::check(&machine, args.ep, args.precision, args.device).map_err(refused)?;
    limit_threads(args)
}

/// `--threads` limits every part of the program.
fn limit_threads(args: &RuntimeArgs) -> Result<()> {
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .context("cannot start the threads asked for with --threads")?;
    }
    Ok(())
}

/// A slip of the hand must not replace what a run computed.
fn check_not_of_a_run<'r>(out: &Path, runs: impl IntoIterator<Item = &'r PathBuf>) -> Result<()> {
    let Ok(out_is) = fs::canonicalize(out) else {
        return Ok(());
    };
    for run in runs {
        let Ok(run) = fs::canonicalize(run) else {
            continue;
        };
        if out_is.is_file() && out_is.starts_with(&run) {
            return Err(UsageError(words!(
                "--out {} is a file of a run that is read; name another one",
                out.display()
            ))
            .into());
        }
    }
    Ok(())
}

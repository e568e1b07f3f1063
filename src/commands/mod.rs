//! One file a subcommand.

mod diff;
mod embed;
mod export;
mod figures;
mod generate;
mod inspect;
mod models;
mod nearest;
mod providers;
mod report;
mod run;
mod setup;
mod verify;

use anyhow::{Context, Result};
use clap::CommandFactory;
use foreign::words;
use ort_runtime::fit::{self, Machine, Refusal};
use ort_runtime::{Runtime, library, trial};
use process::progress;

use crate::cli::{Cli, Command, RuntimeArgs};
use crate::exit::UsageError;

/// Do what the command line says.
pub fn execute(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => run::check(&args),
        Command::Figures { run_dirs } => figures::redraw(&run_dirs),
        Command::Nearest(args) => nearest::nearest_to(&args),
        Command::Diff(args) => diff::diff(&args),
        Command::Report { run_dirs, out } => report::report(&run_dirs, out.as_deref()),
        Command::Embed(args) => embed::embed(&args),
        Command::Generate(args) => generate::generate(&args),
        Command::Export(args) => export::export(&args),
        Command::Inspect { checkpoint, models } => inspect::inspect(&checkpoint, &models),
        Command::Models { models } => models::list(&models),
        Command::Verify {
            card,
            models,
            runtime,
        } => verify::verify(&card, &models, &runtime),
        Command::Setup { ep, own } => setup::setup(ep, own),
        Command::Providers(args) => providers::providers(&args),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "harness", &mut script);
            Ok(progress::result(String::from_utf8_lossy(&script))?)
        }
    }
}

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

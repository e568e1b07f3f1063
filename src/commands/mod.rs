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

use crate::card::CardError;
use crate::cli::{Cli, Command, RuntimeArgs};
use crate::interrupt::Interrupted;
use crate::progress;
use crate::runtime::fit::{self, Machine, Refusal};
use crate::runtime::{Runtime, library, trial};
use crate::spec::SpecError;
use crate::wording::{Foreign, Words};
use crate::words;

/// Something that the user wrote is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub Words);

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

/// The whole chain of causes in one paragraph; a cause that its error already told is not repeated.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Foreign words are told escaped and cut.
        if !text.contains(&cause) && !text.contains(&Foreign::said(&cause).to_string()) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// That of the signal for an interruption, 2 for what the user wrote, 1 for the rest.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let interrupted = error.chain().find_map(|e| e.downcast_ref::<Interrupted>());
    let usage = |e: &(dyn std::error::Error + 'static)| {
        e.is::<UsageError>() || e.is::<SpecError>() || e.is::<CardError>()
    };
    match interrupted {
        Some(Interrupted(signal)) => signal.exit_code(),
        None if error.chain().any(usage) => 2,
        None => 1,
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
    match runtime {
        Some(runtime) => Ok(runtime.clone()),
        None => Ok(runtime.insert(open_runtime(args, library)?).clone()),
    }
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

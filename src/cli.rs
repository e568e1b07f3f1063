//! The command line: every subcommand with its help, and the one place that starts them.

use std::path::PathBuf;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use ort_runtime::Provider;
use process::progress;

use crate::args::{ModelsArgs, RunArgs, RuntimeArgs};
use crate::commands;
use crate::commands::cite::CiteArgs;
use crate::commands::diff::DiffArgs;
use crate::commands::embed::EmbedArgs;
use crate::commands::export::ExportArgs;
use crate::commands::generate::GenerateArgs;
use crate::commands::nearest::NearestArgs;
use crate::commands::providers::ProvidersArgs;
use crate::commands::submit::SubmitArgs;
use crate::commands::table::TableArgs;

/// Taste-to-music experiments without Python: MusicGen and CLAP checkpoints to ONNX graphs, run from YAML files.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    max_term_width = 110,
    after_help = "\
Examples:
  harness run experiments/weights.yaml --demo         the whole chain on small bundled models
  harness run experiments/weights.yaml --set audio.files=my_pieces
  harness run experiments/*.yaml --demo               every experiment, in seconds
  harness report runs/weights                         a page to read and to listen to
  harness inspect 630k-audioset-fusion-best.pt        what is in a checkpoint, and which cards fit

Exit codes: 0 done, 1 failed (of diff: the runs differ), 2 the command line, an experiment file or a card is wrong, 130 interrupted, 143 terminated, 129 hung up, 75 a share was ended by its scheduler and is to be started again.
Results go to standard output, progress and notes to standard error."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run experiments: pieces and prompts to CSVs, figures and a report
    Run(RunArgs),
    /// Validate experiments and show the plan: downloads, pieces, arms; runs nothing
    Check(RunArgs),
    /// Download, check, export and install all that experiments need; computes nothing
    #[command(
        after_help = "Example: harness prepare experiments/weights.yaml && harness run experiments/weights.yaml --offline"
    )]
    Prepare(RunArgs),
    /// Hand a run in shares to Slurm, HyperQueue or Kubernetes, or show its commands
    Submit(SubmitArgs),
    /// Tell how far the shares of a run are: done, under way, failed, missing
    #[command(after_help = "Example: harness status runs/weights")]
    Status {
        /// A run folder, such as runs/weights
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
    },
    /// Redraw the figures of finished runs from their CSVs; loads no model
    #[command(after_help = "\
Examples:
  harness figures runs/weights
  harness figures runs/weights --pdf                  with figures/NAME.pdf for LaTeX

PDFs that are there are drawn anew in any case.")]
    Figures {
        /// Run folders, such as runs/weights
        #[arg(required = true, value_name = "RUN_DIR")]
        run_dirs: Vec<PathBuf>,
        /// Write each figure as PDF too
        #[arg(long)]
        pdf: bool,
    },
    /// Write report.html, a page to read and to listen to; several runs side by side
    #[command(after_help = "\
Examples:
  harness report runs/weights                         runs/weights/report.html
  harness report runs/gen_spanio_base runs/weights    runs/report.html
  harness report runs/weights runs/other --out comparison.html")]
    Report {
        /// Run folders, such as runs/weights
        #[arg(required = true, value_name = "RUN_DIR")]
        run_dirs: Vec<PathBuf>,
        /// The page; report.html by default, in the run folder or in the deepest folder that holds all of them
        #[arg(long, value_name = "FILE.html")]
        out: Option<PathBuf>,
    },
    /// Write numbers of finished runs as a table for a paper: LaTeX, Markdown or CSV
    Table(TableArgs),
    /// Write what to cite for finished runs as BibTeX: programs, checkpoints, papers, data
    Cite(CiteArgs),
    /// Hold one run against another: settings that differ, rows that moved
    Diff(DiffArgs),
    /// Find what in a finished run lies nearest to a text: captions, descriptors or pieces
    Nearest(NearestArgs),
    /// Embed audio files and texts with one model
    Embed(EmbedArgs),
    /// Make music from prompts with one model
    Generate(GenerateArgs),
    /// Turn checkpoints into ONNX graphs
    Export(ExportArgs),
    /// Say what a checkpoint holds, and which cards it fits
    #[command(after_help = "Example: harness inspect 630k-audioset-fusion-best.pt")]
    Inspect {
        /// A checkpoint file or folder, or a card
        checkpoint: String,
        #[command(flatten)]
        models: ModelsArgs,
    },
    /// List the experiments and cards that go by a name here, and where each comes from
    #[command(after_help = "Example: harness list && harness run weights --demo")]
    List {
        #[command(flatten)]
        models: ModelsArgs,
    },
    /// Write the built-in experiments and cards as files, to be changed, and an experiment of your own
    #[command(
        after_help = "Example: harness init lab && cd lab && harness check my_experiment.yaml"
    )]
    Init {
        /// The folder; the working folder by default
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Overwrite files that are there
        #[arg(long)]
        force: bool,
    },
    /// List the cards: downloaded, exported, sizes, licences
    Models {
        #[command(flatten)]
        models: ModelsArgs,
    },
    /// Compute the answers that a card states, and compare
    #[command(after_help = "Example: harness verify 630k-audioset-best")]
    Verify {
        /// A card with `known:` answers
        card: String,
        #[command(flatten)]
        models: ModelsArgs,
        #[command(flatten)]
        runtime: RuntimeArgs,
    },
    /// Install ONNX Runtime for an execution provider, and the libraries that it needs and this machine lacks
    #[command(after_help = "\
Examples:
  harness setup --ep openvino
  harness setup --ep cuda           only what is found nowhere on this machine
  harness setup --ep cuda --own     all of it")]
    Setup {
        /// Execution provider
        #[arg(long, value_name = "NAME", default_value = "cpu")]
        ep: Provider,
        /// Install all of it, also what is on this machine already
        #[arg(long)]
        own: bool,
    },
    /// List the execution providers: installed, what they need, devices, precisions
    #[command(after_help = "\
Examples:
  harness providers                                   what there is, and what it needs
  harness providers --check                           try each that is installed
  harness providers --check --ep openvino             try one

Exit codes of --check: 0 all of them run, 1 one does not.")]
    Providers(ProvidersArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: harness completions bash > ~/.local/share/bash-completion/completions/harness"
    )]
    Completions { shell: clap_complete::Shell },
}

/// Do what the command line says.
pub fn execute(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Run(args) => commands::run::run(&args),
        Command::Check(args) => commands::run::check(&args),
        Command::Prepare(args) => commands::run::prepare(&args),
        Command::Submit(args) => commands::submit::submit(&args),
        Command::Status { run_dir } => commands::status::tell(&run_dir),
        Command::Figures { run_dirs, pdf } => commands::figures::redraw(&run_dirs, pdf),
        Command::Nearest(args) => commands::nearest::nearest_to(&args),
        Command::Table(args) => commands::table::table(&args),
        Command::Cite(args) => commands::cite::cite(&args),
        Command::Diff(args) => commands::diff::diff(&args),
        Command::Report { run_dirs, out } => commands::report::report(&run_dirs, out.as_deref()),
        Command::Embed(args) => commands::embed::embed(&args),
        Command::Generate(args) => commands::generate::generate(&args),
        Command::Export(args) => commands::export::export(&args),
        Command::Inspect { checkpoint, models } => commands::inspect::inspect(&checkpoint, &models),
        Command::List { models } => commands::list::list(&models),
        Command::Init { folder, force } => commands::init::init(&folder, force),
        Command::Models { models } => commands::models::list(&models),
        Command::Verify {
            card,
            models,
            runtime,
        } => commands::verify::verify(&card, &models, &runtime),
        Command::Setup { ep, own } => commands::setup::setup(ep, own),
        Command::Providers(args) => commands::providers::providers(&args),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "harness", &mut script);
            Ok(progress::result(String::from_utf8_lossy(&script))?)
        }
    }
}

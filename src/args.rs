//! Arguments that several subcommands share, and those of a run. Opens no file, loads no model.

use std::path::PathBuf;

use clap::Args;
use onnx_export::Target;
use onnx_graph::Precision;
use ort_runtime::{Provider, SessionOptions, threads};

/// Where cards and graphs are unless `--models` says otherwise.
pub const MODELS: &str = "models";

/// Where cards and graphs are.
#[derive(Debug, Clone, Args)]
pub struct ModelsArgs {
    /// Folder of cards and exported graphs; made when missing
    #[arg(long, value_name = "DIR", default_value = MODELS)]
    pub models: PathBuf,
    /// Use only what is on this machine: no download, no installation
    #[arg(long)]
    pub offline: bool,
}

/// Where and how graphs run.
#[derive(Debug, Clone, Args)]
pub struct RuntimeArgs {
    /// Execution provider
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    pub ep: Provider,
    /// Device number, for providers with several devices
    #[arg(long, value_name = "N")]
    pub device: Option<u32>,
    /// Arithmetic of the graphs; which go with which provider: harness providers
    #[arg(long, value_name = "P", default_value = "fp32")]
    pub precision: Precision,
    /// Threads on the CPU; by default one for each physical core that this process may use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

impl RuntimeArgs {
    /// What sessions are told.
    pub fn session_options(&self) -> SessionOptions {
        SessionOptions {
            provider: self.ep,
            device: self.device,
            threads: self.threads(),
            spinning: self.spinning(),
        }
    }

    /// What graphs are exported for.
    pub fn target(&self) -> Target {
        Target {
            provider: self.ep,
            precision: self.precision,
        }
    }

    /// Threads asked for, or one a physical core.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(threads::cores, usize::from)
    }

    /// Whether they wait in a loop, as they do while nobody else wants the processors.
    pub fn spinning(&self) -> bool {
        !threads::shared(self.threads())
    }
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  harness run experiments/weights.yaml --demo
  harness run experiments/gen_spanio_base.yaml --set duration_s=10 --batch 8
  harness run experiments/weights.yaml --set audio.files=pieces --out runs/weights
  harness run experiments/weights.yaml --set arms.2.model=cards/mine.yaml --limit 10")]
pub struct RunArgs {
    /// Experiment files
    #[arg(required = true, value_name = "EXPERIMENT.yaml")]
    pub experiments: Vec<PathBuf>,
    /// Small bundled models with random weights, and fewer and shorter pieces: shows the chain, its numbers mean nothing
    #[arg(long)]
    pub demo: bool,
    /// Run folder; runs/<experiment> by default, beside it when other settings are there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only the first N pieces
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Seed of every random choice, instead of the experiment's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Change a setting of the experiment file; may be repeated
    #[arg(long, value_name = "PATH.TO.KEY=VALUE")]
    pub set: Vec<String>,
    /// Use these crops of long pieces: a CSV id,front,middle,back,offset, such as an earlier scores.csv (the policy is
    /// a setting: --set crops=center)
    #[arg(long, value_name = "FILE.csv")]
    pub crops: Option<PathBuf>,
    /// Make N pieces at once; by memory and cores by default. No result depends on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: Option<u16>,
    /// Compute everything again instead of going on from what the run folder has
    #[arg(long)]
    pub fresh: bool,
    /// Leave out pieces that cannot be read, list them in skipped.csv, and go on
    #[arg(long)]
    pub skip_bad: bool,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

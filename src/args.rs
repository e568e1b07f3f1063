//! Arguments that several subcommands share, and those of a run. Opens no file, loads no model.

use std::path::{Path, PathBuf};

use clap::Args;
use files::cache;
use onnx_export::Target;
use onnx_graph::Precision;
use ort_runtime::{Provider, SessionOptions, threads};

use crate::shard::ShardArg;

/// Where cards and graphs are unless `--models` says otherwise: in `models` of the working folder, where there is one, else in
/// the cache. Built-in cards stand behind those of either.
pub fn default_models() -> PathBuf {
    let here = PathBuf::from("models");
    match here.is_dir() {
        true => here,
        // Whoever writes there will say that there is no cache.
        false => cache::folder().map_or(here, |cache| cache.join("models")),
    }
}

/// Where cards and graphs are.
#[derive(Debug, Clone, Args)]
pub struct ModelsArgs {
    /// Folder of cards and exported graphs, made when missing; built-in cards stand behind it. By default ./models where there
    /// is one, else a folder of the cache
    #[arg(long, value_name = "DIR", default_value_os_t = default_models(), hide_default_value = true)]
    pub models: PathBuf,
    /// Use only what is on this machine: no download, no installation
    #[arg(long)]
    pub offline: bool,
}

/// How many pieces are made at once.
#[derive(Debug, Clone, Args)]
pub struct BatchArgs {
    /// Pieces to make at once; chosen from memory and cores by default. It changes no piece
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    batch: Option<u16>,
}

impl BatchArgs {
    /// `None`: by memory and cores.
    pub fn pieces(&self) -> Option<usize> {
        self.batch.map(usize::from)
    }
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
    /// Arithmetic of the graphs; `harness providers` lists what each provider has
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
    /// Run folder; by default runs/<experiment>, or one beside it when that holds a run with other settings
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
    /// Hear these parts of long pieces: a CSV id,front,middle,back,offset, such as the scores.csv of an earlier run.
    /// To choose a policy instead: --set crops=center
    #[arg(long, value_name = "FILE.csv")]
    pub crops: Option<PathBuf>,
    #[command(flatten)]
    pub batch: BatchArgs,
    /// Compute everything again instead of going on from what the run folder has
    #[arg(long)]
    pub fresh: bool,
    /// Compute one share of the work, such as 3/16, or with `auto` the one that the task of a Slurm, HyperQueue or
    /// Kubernetes array is for (HARNESS_SHARD says it elsewhere); the same command without it puts the shares together
    #[arg(long, value_name = "I/N|auto", conflicts_with_all = ["fresh", "no_compute", "require_alike"])]
    pub shard: Option<ShardArg>,
    /// Folder on the node's own disk to which the first task of a node copies graphs and library; the tasks read them there.
    /// May begin with a variable that the node sets: '$TMPDIR'
    #[arg(long, value_name = "DIR")]
    pub local_scratch: Option<PathBuf>,
    /// Only put together what shares have finished: say what is missing, and stop
    #[arg(long, conflicts_with = "fresh")]
    pub no_compute: bool,
    /// Refuse shares from processors that may round differently, instead of naming them
    #[arg(long)]
    pub require_alike: bool,
    /// Leave out pieces that cannot be read, list them in skipped.csv, and go on
    #[arg(long)]
    pub skip_bad: bool,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

impl RunArgs {
    /// The arguments of the experiment in `file`, which another one's pieces come from: those that are about one experiment
    /// alone are left out.
    pub fn of_first(&self, file: PathBuf) -> Self {
        Self {
            experiments: vec![file],
            out: None,
            seed: None,
            set: Vec::new(),
            crops: None,
            fresh: false,
            shard: None,
            skip_bad: false,
            ..self.clone()
        }
    }

    /// The arguments for one of the experiments, as a command line has them. `--fresh`, `--shard`, `--no-compute`,
    /// `--local-scratch` and `--offline` are not among them: a share and what puts shares together have their own.
    pub fn words(&self, experiment: &Path) -> Vec<String> {
        let mut words = vec![experiment.display().to_string()];
        let mut flag = |name: &str, given: bool| {
            if given {
                words.push(name.to_owned());
            }
        };
        flag("--demo", self.demo);
        flag("--require-alike", self.require_alike);
        flag("--skip-bad", self.skip_bad);
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let models = &self.models.models;
        for (name, value) in [
            ("--out", path(&self.out)),
            ("--limit", self.limit.map(|limit| limit.to_string())),
            ("--seed", number(self.seed)),
            ("--crops", path(&self.crops)),
            ("--batch", number(self.batch.batch.map(u64::from))),
            (
                "--models",
                (*models != default_models()).then(|| models.display().to_string()),
            ),
            ("--ep", Some(self.runtime.ep.to_string())),
            ("--device", number(self.runtime.device.map(u64::from))),
            ("--precision", Some(self.runtime.precision.to_string())),
            ("--threads", number(self.runtime.threads.map(u64::from))),
        ] {
            words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        }
        let set = self.set.iter();
        words.extend(set.flat_map(|set| ["--set".to_owned(), set.clone()]));
        words
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArgs,
    }

    #[test]
    fn a_command_line_comes_back() {
        let all = [
            "harness",
            "x y.yaml",
            "--demo",
            "--out",
            "o",
            "--limit",
            "3",
            "--seed",
            "4",
            "--set",
            "a=1",
            "--set",
            "b=x y",
            "--crops",
            "c.csv",
            "--batch",
            "5",
            "--require-alike",
            "--skip-bad",
            "--models",
            "m",
            "--ep",
            "openvino",
            "--device",
            "1",
            "--precision",
            "bf16",
            "--threads",
            "2",
        ];
        for line in [&all[..], &["harness", "x.yaml"]] {
            let run = Line::parse_from(line).run;
            let words = run.words(&run.experiments[0]);
            let again = Line::parse_from(["harness".to_owned()].into_iter().chain(words)).run;
            assert_eq!(format!("{run:?}"), format!("{again:?}"));
        }
    }
}

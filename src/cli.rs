//! Arguments and help texts. Starts work in [`crate::commands`]; opens no file, loads no model.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_audio::CropPolicy;
use onnx_export::Target;
use onnx_graph::Precision;
use ort_runtime::{Provider, SessionOptions, threads};

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
  harness report runs/weights                         a page of its results, to read and to listen on
  harness inspect 630k-audioset-fusion-best.pt        what is in a checkpoint, and which cards fit

Exit codes: 0 done, 1 failed (of diff: the runs differ), 2 the command line, an experiment file or a card is wrong, 130 interrupted, 143 terminated, 129 hung up.
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
    /// Redraw the figures of finished runs from their CSVs; loads no model
    #[command(after_help = "Example: harness figures runs/weights")]
    Figures {
        /// Run folders, such as runs/weights
        #[arg(required = true, value_name = "RUN_DIR")]
        run_dirs: Vec<PathBuf>,
    },
    /// Write report.html, a page to read and to listen on; several runs side by side
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
    /// List the cards: downloaded, exported, sizes, licences
    Models {
        #[command(flatten)]
        models: ModelsArgs,
    },
    /// Compare this program with the known answers that a card carries
    #[command(after_help = "Example: harness verify 630k-audioset-best")]
    Verify {
        /// A card with `known:` answers
        card: String,
        #[command(flatten)]
        models: ModelsArgs,
        #[command(flatten)]
        runtime: RuntimeArgs,
    },
    /// Install the ONNX Runtime build of an execution provider, and of what it needs what this machine does not have
    #[command(after_help = "\
Examples:
  harness setup --ep openvino
  harness setup --ep cuda                what is neither where the loader looks nor in a Python environment
  harness setup --ep cuda --own          all of it, whatever others installed")]
    Setup {
        /// Execution provider
        #[arg(long, value_name = "NAME", default_value = "cpu")]
        ep: Provider,
        /// Install all of it, whatever others installed on this machine
        #[arg(long)]
        own: bool,
    },
    /// List the execution providers: installed, what they need, devices, precisions
    #[command(after_help = "\
Examples:
  harness providers                                   what there is, and what it needs
  harness providers --check                           run the demo's graphs on each that is installed
  harness providers --check --ep openvino             on one

Exit codes of --check: 0 all that are installed run, 1 one of them does not.")]
    Providers(ProvidersArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: harness completions bash > ~/.local/share/bash-completion/completions/harness"
    )]
    Completions { shell: clap_complete::Shell },
}

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
pub struct ProvidersArgs {
    /// Run the demo's graphs on each installed provider, and tell where their nodes ran
    #[arg(long)]
    pub check: bool,
    /// Only this one
    #[arg(long, value_name = "NAME", requires = "check")]
    pub ep: Option<Provider>,
    /// Device number, for providers with several devices
    #[arg(long, value_name = "N", requires = "ep")]
    pub device: Option<u32>,
    /// Arithmetic of the graphs
    #[arg(long, value_name = "P", default_value = "fp32", requires = "check")]
    pub precision: Precision,
    /// Threads on the CPU; by default one for each physical core that this process may use
    #[arg(long, value_name = "N", requires = "check", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Start it and run one product: what the program asks of itself before a provider's first start
    #[arg(long, hide = true, requires = "ep")]
    pub only_start: bool,
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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness nearest runs/musiccaps_text \"sweet, warm\" -k 10
  harness nearest runs/weights \"a solemn choir\" --arm \"music_audioset, fusion off\"

The text is embedded by the checkpoint that the run used, and no other.")]
pub struct NearestArgs {
    /// A run folder, such as runs/musiccaps_text
    #[arg(value_name = "RUN_DIR")]
    pub run_dir: PathBuf,
    /// What to look for
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// How many to list
    #[arg(short, long = "count", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub k: u16,
    /// The arm whose embeddings are searched; the first by default
    #[arg(long, value_name = "NAME")]
    pub arm: Option<String>,
    /// The card of the run's checkpoint, where it is not found by the name that the run used
    #[arg(long, value_name = "CARD")]
    pub model: Option<String>,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness diff runs/weights runs/weights-246aa47424df
  harness diff runs/weights runs/cuda/weights --tolerance 0.0001 --out moved.csv

Rows are matched by arm and id. A row moves by its CLAP score in B minus that in A; in runs of texts,
which have no scores, by 1 minus the cosine of its two embeddings.
Exit codes: 0 nothing moved beyond the tolerance, 1 something did, or a row is in one run only,
2 the two cannot be compared.")]
pub struct DiffArgs {
    /// A run folder, such as runs/weights
    #[arg(value_name = "RUN_A")]
    pub run_a: PathBuf,
    /// The run folder to hold against it
    #[arg(value_name = "RUN_B")]
    pub run_b: PathBuf,
    /// The largest change that still passes; by default every change counts
    #[arg(
        long,
        value_name = "T",
        default_value_t = 0.0,
        value_parser = tolerance,
        allow_negative_numbers = true
    )]
    pub tolerance: f64,
    /// Show the N rows that moved most
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// Write every row with its change to a CSV
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("it must be a number, 0 or more".to_owned()),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness embed --model music_audioset --audio pieces --out audio.csv
  harness embed --model models/mine.yaml --text captions.txt --out text.csv")]
pub struct EmbedArgs {
    /// A card: its name in the models folder, or a path
    #[arg(long, value_name = "CARD")]
    pub model: String,
    /// An audio file, or a folder of them; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    pub audio: Vec<PathBuf>,
    /// A file with one text a line
    #[arg(long, value_name = "FILE.txt")]
    pub text: Option<PathBuf>,
    /// Use these crops of long clips: a CSV id,front,middle,back,offset, such as an earlier output
    #[arg(long, value_name = "FILE.csv", conflicts_with = "crop_policy")]
    pub crops: Option<PathBuf>,
    /// Which part of a long clip is heard: seeded, start or center
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub crop_policy: CropPolicy,
    /// Seed of the crops
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The CSV to write: id,kind,embedding and, with audio, the crops taken
    #[arg(long, value_name = "FILE.csv")]
    pub out: PathBuf,
    /// Leave out audio that cannot be read, and say which
    #[arg(long)]
    pub skip_bad: bool,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness generate --model tasty-musicgen-small --prompts prompts.txt --out pieces
  harness generate --model tasty-musicgen-small --prompts prompts.txt --duration 10 --seed 7 --out pieces_7
  harness generate --model models/mine.yaml --prompts prompts.txt --greedy --save-codes --out greedy

Line n of the prompts becomes n.wav: 32-bit float, mono. The same command goes on where it was stopped; what is
finished is not made again. Settings and seed give the same samples in every batch.")]
pub struct GenerateArgs {
    /// A card: its name in the models folder, or a path
    #[arg(long, value_name = "CARD")]
    pub model: String,
    /// A file with one prompt a line; an empty line is an empty prompt
    #[arg(long, value_name = "FILE.txt")]
    pub prompts: PathBuf,
    /// The likeliest code at every step, instead of a draw
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p"])]
    pub greedy: bool,
    /// Length in steps of the decoder; 4 codebooks make N - 3 frames
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "duration",
        allow_negative_numbers = true
    )]
    pub max_new_tokens: Option<usize>,
    /// Length in seconds; 29.92 by default
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub duration: Option<f64>,
    /// Scale of classifier-free guidance, at least 1; 1 is without guidance, and faster
    #[arg(
        long,
        value_name = "S",
        default_value_t = 3.0,
        allow_negative_numbers = true
    )]
    pub guidance: f32,
    /// Draw from the N likeliest codes; 0 draws from all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        allow_negative_numbers = true
    )]
    pub top_k: usize,
    /// Draw from the likeliest codes that together have this probability; 1 draws from all
    #[arg(
        long,
        value_name = "P",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub top_p: f32,
    /// Logits are divided by it: below 1 the likelier codes gain
    #[arg(
        long,
        value_name = "T",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub temperature: f32,
    /// Seed of the draws
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub seed: u64,
    /// Pieces to make at once; chosen from memory and cores by default, and never heard
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: Option<u16>,
    /// Also write the codes as n.npy: i64, [codebooks, frames]
    #[arg(long)]
    pub save_codes: bool,
    /// Folder of the pieces; made when missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

impl GenerateArgs {
    /// The notebooks' length: 1,496 frames.
    pub const DURATION_S: f64 = 29.92;
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness export music_audioset --out graphs/music
  harness export tasty-musicgen-small --precision int8

Graphs are made for the provider and the precision that will run them.")]
pub struct ExportArgs {
    /// Cards: names in the models folder, or paths
    #[arg(required = true, value_name = "CARD")]
    pub cards: Vec<String>,
    /// Also copy the graphs to DIR/<card>
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub models: ModelsArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

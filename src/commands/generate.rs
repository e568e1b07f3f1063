//! `harness generate`: a file of prompts to a folder of pieces.

use std::path::{Path, PathBuf};

use anyhow::Result;
use checkpoint::musicgen::MusicgenConfig;
use clap::Args;
use foreign::words;
use foreign::{Foreign, Safe};
use onnx_export::musicgen::names;
use onnx_export::{EXPORTER_VERSION, Exported};
use ort_runtime::library::{self, Library};
use pipelines::musicgen::{
    Choice, GenerateError, Generated, GenerationSettings, Generator, Job, check_guidance,
    check_prompts, check_settings, delay,
};
use pipelines::seeds;
use process::interrupt;
use process::progress::{self, AudioBar};
use serde_json::json;

use super::{check_runtime, opened};
use crate::args::{BatchArgs, ModelsArgs, RuntimeArgs};
use crate::card::{Card, Kind};
use crate::exit::{self, UsageError};
use crate::experiment::{Identity, identity_of};
use crate::model::prepare;
use crate::model::{self, Model, Ready, note_leftover};
use crate::run::making::Sizes;
use crate::run::pieces::PieceFolder;
use crate::run::{check_writable, library_sha256};
use crate::spec;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  harness generate --model tasty-musicgen-small --prompts prompts.txt --out pieces
  harness generate --model tasty-musicgen-small --prompts prompts.txt --duration 10 --out short
  harness generate --model models/mine.yaml --prompts prompts.txt --greedy --save-codes --out greedy

Line n of the prompts becomes n.wav: 32-bit float, mono. The same command goes on where it was stopped. \
The same settings and seed give the same samples, whatever --batch is.")]
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
    /// Scale of classifier-free guidance, at least 1; at 1 there is no guidance, which is faster
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
    /// Divides the logits: below 1, likely codes become likelier
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
    #[command(flatten)]
    pub batch: BatchArgs,
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

/// Names the random streams of this command.
const EXPERIMENT: &str = "generate";

pub(crate) fn generate(args: &GenerateArgs) -> Result<()> {
    check_runtime(&args.runtime)?;
    let choice = choice(args)?;
    let prompts = spec::prompts::read_with_empty(&args.prompts)?;
    let card = Card::find_kind(Kind::Musicgen, &args.model, &args.models.models)?;
    check_writable(&args.out)?;
    // Before a download that would be in vain without it.
    let library = library::find_or_install(args.runtime.ep, args.models.offline)?;

    model::make_folder(&args.models.models)?;
    let model = Model::obtain(card, args.models.offline)?;
    let (config, settings) = settings(args, &model, choice)?;
    let pieces: Vec<(String, String)> = (1..)
        .map(|line: usize| line.to_string())
        .zip(prompts)
        .collect();
    let prompts = pieces.iter().map(|(_, prompt)| prompt.as_str());
    check_prompts(&config, &model.tokenizer.path, prompts)
        .map_err(|e| bad_prompt(e, &args.prompts, &pieces))?;
    let mut runtime = None;
    let Ready { export, leftover } =
        prepare(&model, &args.models.models, args.runtime.target(), || {
            opened(&mut runtime, &args.runtime, &library)
        })?;
    note_leftover(&model.card.name, &leftover);

    let identity = identity(args, &model, &export, &settings, &library)?;
    let mut folder = PieceFolder::open(&args.out, &identity, &pieces, args.save_codes)?;
    let mut missing = Vec::new();
    for piece in &pieces {
        if !folder.has(&piece.0)? {
            missing.push(piece);
        }
    }
    let frames = delay::frames(settings.steps, config.decoder.codebooks);
    let duration_s = frames as f64 / config.codec.frame_rate();
    let there = pieces.len() - missing.len();
    let made = match missing.is_empty() {
        true => String::new(),
        false => {
            let runtime = opened(&mut runtime, &args.runtime, &library)?.working_in(folder.path());
            let mut generator = Generator::load(&runtime, &export, &model.tokenizer.path)?;
            interrupt::listen();
            make(
                args,
                &mut generator,
                &settings,
                &missing,
                duration_s,
                &mut folder,
            )
            .map_err(|e| {
                let outcome = format!(
                    "the pieces finished before are in {}, and the same command goes on from there",
                    args.out.display()
                );
                exit::explain(e, &outcome)
            })?;
            times(&generator)
        }
    };
    let earlier = match there {
        0 => String::new(),
        n if n == pieces.len() => ", all made before".to_owned(),
        n => format!(", {n} of them made before"),
    };
    progress::note(format!(
        "{} of {duration_s:.2} s in {}{earlier}{made}",
        counted(pieces.len()),
        args.out.display()
    ));
    Ok(())
}

/// The way to choose codes, and that no value is out of every model's range.
fn choice(args: &GenerateArgs) -> Result<Choice> {
    check_guidance(args.guidance).map_err(usage)?;
    if let Some(duration_s) = args.duration
        && !(duration_s.is_finite() && duration_s > 0.0)
    {
        let wrong = words!(
            "--duration is {} s; it must be a number of seconds above 0",
            duration_s
        );
        return Err(UsageError(wrong).into());
    }
    if args.greedy {
        return Ok(Choice::Greedy);
    }
    Ok(Choice::sample(args.temperature, args.top_k, args.top_p).map_err(usage)?)
}

fn usage(error: impl std::error::Error + Safe) -> UsageError {
    UsageError(words!("{}", error))
}

/// The settings of every piece under the limits of this checkpoint, of which only the configuration is read.
fn settings(
    args: &GenerateArgs,
    model: &Model,
    choice: Choice,
) -> Result<(MusicgenConfig, GenerationSettings)> {
    let config = model.musicgen_config()?;
    let (steps, from) = match (args.max_new_tokens, args.duration) {
        (Some(steps), _) => (steps, words!("--max-new-tokens {}", steps)),
        (None, duration_s) => {
            let duration_s = duration_s.unwrap_or(GenerateArgs::DURATION_S);
            let sizes = Sizes::of(&config);
            let steps = sizes.steps(duration_s);
            if steps == 0 {
                return Err(UsageError(words!(
                    "--duration {} s makes no frame; the shortest piece has {} s",
                    duration_s,
                    1.0 / sizes.frame_rate
                ))
                .into());
            }
            (steps, words!("a duration of {} s", duration_s))
        }
    };
    let settings = GenerationSettings {
        steps,
        guidance: args.guidance,
        choice,
    };
    check_settings(&config, &settings).map_err(|e| match e {
        GenerateError::Positions { .. } | GenerateError::NoFrame { .. } => {
            UsageError(words!("{}: {}", from, e))
        }
        other => usage(other),
    })?;
    Ok((config, settings))
}

/// Everything that changes a piece, but its prompt and number.
fn identity(
    args: &GenerateArgs,
    model: &Model,
    export: &Exported,
    settings: &GenerationSettings,
    library: &Library,
) -> Result<Identity> {
    // What was measured for a graph is in its weights.
    let decoder = export.graphs.get(names::DECODER);
    let RuntimeArgs {
        ep,
        device,
        precision,
        ..
    } = &args.runtime;
    Ok(identity_of(json!({
        "command": EXPERIMENT,
        "checkpoint": model.sha256,
        "tokenizer": model.tokenizer.sha256,
        "settings": settings,
        "seed": (settings.choice != Choice::Greedy).then_some(args.seed),
        "ep": ep,
        "device": device,
        "precision": precision,
        "exporter": EXPORTER_VERSION,
        "decoder": decoder.map(|graph| graph.weights_sha256.as_str()),
        "onnxruntime": library_sha256(library)?,
    }))?)
}

/// Make the pieces `missing`, each with its id and prompt, and save each as soon as it is whole.
fn make(
    args: &GenerateArgs,
    generator: &mut Generator,
    settings: &GenerationSettings,
    missing: &[&(String, String)],
    duration_s: f64,
    folder: &mut PieceFolder,
) -> Result<()> {
    let jobs: Vec<Job> = missing
        .iter()
        .map(|(id, prompt)| Job {
            prompt: prompt.clone(),
            rng: seeds::stream(args.seed, EXPERIMENT, id, "sampling"),
        })
        .collect();
    let rate_hz = generator.sampling_rate();
    let mut bar = AudioBar::new(jobs.len(), settings.steps, duration_s);
    let at_once = args.batch.pieces();
    generator
        .generate(
            jobs,
            settings,
            at_once,
            &mut |progress| {
                bar.step(progress.pieces, progress.step);
                interrupt::check()
            },
            |index, Generated { codes, audio }| -> Result<()> {
                let (id, prompt) = missing[index];
                folder.save(id, prompt, &codes, &audio, rate_hz)
            },
        )
        .map_err(|e| of_piece(e, missing))?;
    bar.finish();
    Ok(())
}

/// An error with a prompt, with the line that it stands in.
fn bad_prompt(error: GenerateError, prompts: &Path, pieces: &[(String, String)]) -> anyhow::Error {
    match error.job() {
        Some(job) => {
            let line = &pieces[job].0;
            UsageError(words!(
                "{}:{}: {}",
                prompts.display(),
                Foreign::new(line),
                error
            ))
            .into()
        }
        None => error.into(),
    }
}

/// An error while pieces are made, with the piece that it is about.
fn of_piece(error: anyhow::Error, missing: &[&(String, String)]) -> anyhow::Error {
    match error.downcast_ref().and_then(GenerateError::job) {
        Some(job) => error.context(format!("piece {}", missing[job].0)),
        None => error,
    }
}

/// `; ` and the seconds of each phase.
fn times(generator: &Generator) -> String {
    let seconds = generator.seconds();
    let step_ms = 1e3 * seconds.decoder / seconds.steps.max(1) as f64;
    format!(
        "; loading {:.1} s, text {:.1} s, decoder {:.1} s ({} steps of {step_ms:.1} ms), codec {:.1} s",
        seconds.load, seconds.text, seconds.decoder, seconds.steps, seconds.codec
    )
}

fn counted(pieces: usize) -> String {
    match pieces {
        1 => "1 piece".to_owned(),
        n => format!("{n} pieces"),
    }
}

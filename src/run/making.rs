//! How a run makes its pieces: by which model, how long they are, and whether the disk has room for them.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use checkpoint::musicgen::MusicgenConfig;
use foreign::Foreign;
use foreign::words;
use pipelines::musicgen::{
    Choice, GenerateError, GenerationSettings, check_prompts, check_settings, delay,
};

use crate::card::Card;
use crate::exit::UsageError;
use crate::experiment::Experiment;
use crate::model::Model;
use crate::results::sample::is_large;
use crate::spec::{Generation, Piece};

/// An embedding beside the journal, in the CSV and in the arrays, and its rows; of a large run, which has no CSV of them.
const EMBEDDING_BYTES: u64 = 32 << 10;
const EMBEDDING_BYTES_IN_ARRAYS: u64 = 5 << 10;
const SAMPLE_BYTES: f64 = 4.0;

/// What a run makes its pieces with.
#[derive(Debug, Clone)]
pub struct Making {
    pub generation: Generation,
    /// Of the model.
    pub card: Card,
    /// Its sizes, if its checkpoint is here.
    pub config: Option<MusicgenConfig>,
}

/// What the sizes of a model say of its pieces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    pub sampling_rate: f64,
    /// Frames a second.
    pub frame_rate: f64,
    pub codebooks: usize,
}

impl Sizes {
    /// Those of every public mono MusicGen, for a plan whose checkpoint is not here yet.
    const USUAL: Self = Self {
        sampling_rate: 32_000.0,
        frame_rate: 50.0,
        codebooks: 4,
    };

    pub fn of(config: &MusicgenConfig) -> Self {
        Self {
            sampling_rate: config.codec.sampling_rate as f64,
            frame_rate: config.codec.frame_rate(),
            codebooks: config.decoder.codebooks,
        }
    }

    /// Frames of a piece.
    fn frames(&self, duration_s: f64) -> usize {
        (duration_s * self.frame_rate).round() as usize
    }

    /// Steps of the decoder for a piece: each codebook begins one after the other. 0 without a frame.
    pub fn steps(&self, duration_s: f64) -> usize {
        match self.frames(duration_s) {
            0 => 0,
            frames => delay::steps(frames, self.codebooks),
        }
    }

    /// Of a piece as it will be: a whole number of frames.
    pub fn seconds(&self, duration_s: f64) -> f64 {
        self.frames(duration_s) as f64 / self.frame_rate
    }
}

impl Making {
    /// The sizes of the model that makes the pieces, once it is here.
    pub fn sizes(&self) -> Sizes {
        self.config.as_ref().map_or(Sizes::USUAL, Sizes::of)
    }

    /// How the pieces of `experiment` are made by a model of these sizes.
    ///
    /// # Errors
    /// When it cannot make them so; the message names the key of the experiment.
    pub fn settings(
        &self,
        experiment: &str,
        config: &MusicgenConfig,
    ) -> Result<GenerationSettings, UsageError> {
        let generation = &self.generation;
        let settings = GenerationSettings {
            steps: Sizes::of(config).steps(generation.duration_s),
            guidance: generation.guidance as f32,
            choice: match generation.top_k {
                1 => Choice::Greedy,
                top_k => Choice::Sample {
                    temperature: generation.temperature as f32,
                    top_k,
                    top_p: generation.top_p as f32,
                },
            },
        };
        check_settings(config, &settings).map_err(|error| {
            let key = match &error {
                GenerateError::Choice(_) => words!("'top_k' {}", generation.top_k),
                GenerateError::Guidance(_) => words!("'guidance' {}", generation.guidance),
                _ => words!("'duration_s' {}", generation.duration_s),
            };
            UsageError(words!("{}, {}: {}", Foreign::new(experiment), key, error))
        })?;
        Ok(settings)
    }

    /// Bytes that `pieces` more pieces take with what `arms` arms compute of them.
    pub fn bytes(&self, sizes: &Sizes, pieces: usize, arms: usize) -> u64 {
        let seconds = sizes.seconds(self.generation.duration_s);
        let audio = seconds * sizes.sampling_rate * SAMPLE_BYTES;
        let embeddings = arms as u64
            * match is_large(pieces, arms) {
                true => EMBEDDING_BYTES_IN_ARRAYS,
                false => EMBEDDING_BYTES,
            };
        (audio as u64)
            .saturating_add(embeddings)
            .saturating_mul(pieces as u64)
    }

    /// Refuse a disk that is too small for `pieces` more pieces in the run folder `folder`.
    pub fn check_room(
        &self,
        sizes: &Sizes,
        folder: &Path,
        pieces: usize,
        arms: usize,
    ) -> Result<()> {
        let needed = self.bytes(sizes, pieces, arms);
        let free = free_bytes(folder)
            .with_context(|| format!("cannot ask for the free space of {}", folder.display()))?;
        if needed > free {
            bail!(
                "{pieces} pieces need about {:.1} MB in {}, and {:.1} MB are free there; free some space, choose \
                 another disk with --out, or make fewer or shorter pieces",
                needed as f64 / 1e6,
                folder.display(),
                free as f64 / 1e6
            );
        }
        Ok(())
    }
}

/// Free space of the disk that `folder` is or will be on.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(folder)?;
    let existing = absolute.ancestors().find(|a| a.is_dir());
    fs4::available_space(existing.unwrap_or(Path::new("/")))
}

/// The generator can make all pieces as they are wanted and takes every prompt: known from its configuration and its
/// tokenizer, before anything is exported.
pub(super) fn check_generator(
    experiment: &Experiment,
    making: &Making,
    model: &Model,
) -> Result<()> {
    let config = model.musicgen_config()?;
    making.settings(&experiment.name, &config)?;
    // Of the draws of a prompt, the first.
    let mut seen = HashSet::new();
    let pieces = experiment.pieces.iter();
    let pieces: Vec<&Piece> = pieces.filter(|piece| seen.insert(&piece.prompt)).collect();
    let prompts = pieces.iter().map(|piece| piece.prompt.as_str());
    check_prompts(&config, &model.tokenizer.path, prompts).map_err(|e| of_piece(&pieces, e))
}

/// Say which piece it is about; a prompt that is too long is the experiment's mistake.
pub(super) fn of_piece(pieces: &[&Piece], error: GenerateError) -> anyhow::Error {
    let Some(piece) = error.job().and_then(|job| pieces.get(job)) else {
        return error.into();
    };
    let told = words!("piece {}: {}", Foreign::new(&piece.id), error);
    match error {
        GenerateError::LongPrompt { .. } => UsageError(told).into(),
        error => anyhow::Error::from(error).context(told),
    }
}

//! What is asked of the generator, and what comes of it.

use checkpoint::musicgen::DecoderConfig;
use ndarray::Array2;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;

use super::delay::{self, DelayedCodes};
use super::sampler::Choice;

/// How pieces are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GenerationSettings {
    /// Steps of the decoder: frames and codebooks less one (transformers: `max_new_tokens`).
    pub steps: usize,
    /// Scale of classifier-free guidance, at least 1; 1 is without, and runs no null branch.
    pub guidance: f32,
    pub choice: Choice,
}

impl GenerationSettings {
    /// Whether there is a null branch: guidance of 1 leaves every logit as it is.
    pub fn is_guided(&self) -> bool {
        self.guidance != 1.0
    }
}

/// One piece to make.
#[derive(Clone, Debug)]
pub struct Job {
    pub prompt: String,
    /// What the piece draws from, its own, so that its batch does not matter.
    pub rng: ChaCha20Rng,
}

/// One piece.
#[derive(Clone, Debug)]
pub struct Generated {
    /// `[codebooks, frames]`, the delay undone.
    pub codes: Array2<i64>,
    /// Mono samples at the model's sampling rate; values beyond +-1 occur.
    pub audio: Vec<f32>,
}

/// How far the batch in flight is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pieces of the batch.
    pub pieces: usize,
    /// Steps taken, of `steps`.
    pub step: usize,
    pub steps: usize,
}

/// What the codes of a batch are chosen by.
pub(super) struct Asked<'a> {
    /// Of its pieces, the index of the first among all jobs.
    pub first: usize,
    pub decoder: &'a DecoderConfig,
    pub settings: &'a GenerationSettings,
}

impl Asked<'_> {
    /// A piece before its first step.
    pub fn silent(&self) -> DelayedCodes {
        let codebooks = self.decoder.codebooks;
        let frames = delay::frames(self.settings.steps, codebooks);
        DelayedCodes::new(codebooks, frames, self.decoder.pad() as i64)
    }
}

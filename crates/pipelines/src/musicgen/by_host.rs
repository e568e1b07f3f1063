//! The steps of a batch whose codes the host chooses from the logits.

use ndarray::Array2;
use process::interrupt::Interrupted;
use rand_chacha::ChaCha20Rng;

use super::GenerateError;
use super::delay::DelayedCodes;
use super::job::{Asked, Progress};
use super::sampler::{self, Sampler};
use super::steps::{Batch, fed};

/// The codes `[codebooks, frames]` of each piece, from its random stream.
pub(super) fn codes(
    batch: &mut Batch,
    asked: &Asked,
    streams: Vec<ChaCha20Rng>,
    progress: &mut dyn FnMut(Progress) -> Result<(), Interrupted>,
) -> Result<Vec<Array2<i64>>, GenerateError> {
    let (settings, decoder) = (asked.settings, asked.decoder);
    let (codebooks, vocab) = (decoder.codebooks, decoder.vocab);
    let guided = settings.is_guided();
    let silent = asked.silent();
    let mut pieces: Vec<(DelayedCodes, ChaCha20Rng)> = streams
        .into_iter()
        .map(|rng| (silent.clone(), rng))
        .collect();
    let mut sampler = Sampler::new(settings.choice);
    let (mut guidance, mut chosen) = (Vec::with_capacity(vocab), vec![0; codebooks]);
    let null = pieces.len();
    for step in 0..settings.steps {
        progress(Progress {
            pieces: pieces.len(),
            step,
            steps: settings.steps,
        })?;
        let codes = fed(pieces.iter().map(|(codes, _)| codes.fed()), codebooks);
        let logits = batch.step(codes.view(), step)?;
        for (piece, (codes, rng)) in pieces.iter_mut().enumerate() {
            for (codebook, chosen) in chosen.iter_mut().enumerate() {
                if !codes.speaks(codebook) {
                    sampler.skip(rng);
                    continue;
                }
                let of_row = |row: usize| {
                    let start = (row * codebooks + codebook) * vocab;
                    &logits[start..start + vocab]
                };
                let mut of_piece = of_row(piece);
                if guided {
                    let uncond = of_row(null + piece);
                    sampler::guide(of_piece, uncond, settings.guidance, &mut guidance);
                    of_piece = &guidance;
                }
                let job = asked.first + piece;
                *chosen = sampler
                    .choose(of_piece, rng)
                    .map_err(|_| GenerateError::NotFinite { job, step })?;
            }
            codes.push(&chosen);
        }
    }
    Ok(pieces
        .into_iter()
        .map(|(codes, _)| codes.into_codes())
        .collect())
}

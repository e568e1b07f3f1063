//! The scales of an int8 cache, from what the decoder in fp32 keeps of a few prompts.

use std::path::Path;

use onnx_export::Exported;
use onnx_export::musicgen::{CacheScales, names};
use ort_runtime::Runtime;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::delay::DelayedCodes;
use super::sampler::{Choice, Sampler};
use super::steps::{Batch, fed};
use super::text::{Attended, Prompts, TextEncoder};
use super::{GenerateError, delay};

/// Prompts of the experiments' kind, short and long.
const PROMPTS: [&str; 6] = [
    "sweet music, ambient for fine restaurant",
    "bitter music, ambient for fine restaurant",
    "sour",
    "a slow piano piece, warm and soft, with strings in the background",
    "A salty song: dry drums and a distorted bass guitar play a fast rhythm while high synthesizers come and go. It is \
     recorded in a small room, energetic and a little rough.",
    "an old man sings to an accordion",
];
/// Steps of each, spread over the positions of a long piece.
const STEPS: usize = 96;
/// Positions of the notebooks' pieces.
const POSITIONS: usize = 1_500;
/// Other prompts and later steps may reach further than what was seen.
const MARGIN: f32 = 1.25;
/// The largest magnitude in int8.
const LARGEST: f32 = 127.0;
/// Scales are rounded up to this many steps an octave, so that machines whose last digits differ make the same graphs.
const STEPS_AN_OCTAVE: f32 = 8.0;
/// The scale of a channel that is always zero.
const SMALLEST: f32 = 1e-8;

/// Run the decoder of an fp32 export on a few prompts with sampled codes, and take the largest key and value of every channel.
///
/// # Errors
/// Those of the graphs and of the tokenizer.
pub fn cache_scales(
    runtime: &Runtime,
    export: &Exported,
    tokenizer: &Path,
) -> Result<CacheScales, GenerateError> {
    let config = export.musicgen()?;
    let decoder = &config.decoder;
    let threads = runtime.options().threads;
    let prompts = Prompts::open(tokenizer, config.text.vocab)?;
    let mut text = TextEncoder::load(runtime, export, config, threads)?;
    let tokens = prompts.encode_all(PROMPTS)?;
    let attended = tokens
        .iter()
        .map(|tokens| text.attend(tokens))
        .collect::<Result<Vec<_>, _>>()?;
    drop(text);
    let texts: Vec<&Attended> = attended.iter().collect();

    let steps = STEPS.min(decoder.max_positions);
    let frames = delay::frames(steps, decoder.codebooks);
    let silent = DelayedCodes::new(decoder.codebooks, frames, decoder.pad() as i64);
    let mut pieces: Vec<(DelayedCodes, ChaCha20Rng)> = (0..texts.len() as u64)
        .map(|piece| (silent.clone(), ChaCha20Rng::seed_from_u64(piece)))
        .collect();
    let mut sampler = Sampler::new(Choice::Sample {
        temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
    });
    let mut session = runtime.session(&export.graph(names::DECODER)?, threads)?;
    let mut batch = Batch::start(&mut session, decoder, export.cache, &texts, steps, true)?;
    let mut chosen = vec![0; decoder.codebooks];
    for step in 0..steps {
        let codes = fed(
            pieces.iter().map(|(codes, _)| codes.fed()),
            decoder.codebooks,
        );
        let at = step * POSITIONS.min(decoder.max_positions) / steps;
        let logits = batch.step_as_if_at(codes.view(), step, at)?;
        for (piece, (codes, rng)) in pieces.iter_mut().enumerate() {
            for (codebook, chosen) in chosen.iter_mut().enumerate() {
                let start = (piece * decoder.codebooks + codebook) * decoder.vocab;
                let logits = &logits[start..start + decoder.vocab];
                *chosen = sampler
                    .choose(logits, rng)
                    .map_err(|_| GenerateError::NotFinite { job: piece, step })?;
            }
            codes.push(&chosen);
        }
    }
    let places = batch.capacity;
    let layers = (0..decoder.layers)
        .map(|layer| {
            let of = |cached: &[f32]| scales_of(cached, decoder.heads, places, decoder.head_dim());
            Ok(batch.cached(layer)?.map(of))
        })
        .collect::<Result<_, GenerateError>>()?;
    Ok(CacheScales { layers })
}

/// Scales `[heads * head_dim]` of what a cache `[rows, heads, places, head_dim]` holds.
fn scales_of(cached: &[f32], heads: usize, places: usize, head_dim: usize) -> Vec<f32> {
    let mut largest = vec![0f32; heads * head_dim];
    for row in cached.chunks_exact(heads * places * head_dim) {
        for (head, of_head) in row.chunks_exact(places * head_dim).enumerate() {
            let largest = &mut largest[head * head_dim..][..head_dim];
            for place in of_head.chunks_exact(head_dim) {
                for (largest, value) in largest.iter_mut().zip(place) {
                    *largest = largest.max(value.abs());
                }
            }
        }
    }
    let scale = |largest: &f32| rounded_up((largest * MARGIN / LARGEST).max(SMALLEST));
    largest.iter().map(scale).collect()
}

fn rounded_up(scale: f32) -> f32 {
    ((scale.log2() * STEPS_AN_OCTAVE).ceil() / STEPS_AN_OCTAVE).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_those_of_the_largest_magnitude_of_each_channel() {
        // Two rows of two heads, three places, two channels.
        let mut cached = vec![0.0; 2 * 2 * 3 * 2];
        cached[0] = 1.0;
        cached[2 * 3 * 2 + 4] = -12.7;
        cached[3 * 2 + 1] = 0.5;
        let scales = scales_of(&cached, 2, 3, 2);
        assert_eq!(scales.len(), 4);
        let over = |scale: f32, largest: f32| scale * LARGEST / largest;
        for (scale, largest) in [(scales[0], 12.7), (scales[3], 0.5)] {
            assert!(
                (1.25..1.25 * 1.1).contains(&over(scale, largest)),
                "{scale}"
            );
        }
        assert!(scales[1] > 0.0 && scales[1] < 1.1e-8);
    }

    #[test]
    fn the_last_digits_do_not_matter() {
        let scale = 0.0371f32;
        assert_eq!(rounded_up(scale), rounded_up(scale * (1.0 + 1e-6)));
        assert!(rounded_up(scale) >= scale);
    }
}

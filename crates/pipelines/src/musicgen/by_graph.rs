//! The steps of a batch whose codes the graph chooses: random numbers go in and codes come out in blocks, and between two
//! blocks nothing crosses to the device or back.

use ndarray::{Array1, Array2, Array3, Axis, arr1};
use onnx_export::musicgen::{NOT_FINITE, names};
use ort_runtime::{Bound, Element, SessionError};
use process::interrupt::Interrupted;
use rand_chacha::ChaCha20Rng;

use super::GenerateError;
use super::delay::{self, DelayedCodes};
use super::job::{Asked, Progress};
use super::sampler::{self, Choice};
use super::steps::Batch;

/// Steps of a block: about a second of music. What crosses is then some kilobytes a second of music and piece.
const BLOCK: usize = 50;

/// The codes `[codebooks, frames]` of each piece, from its random stream.
pub(super) fn codes(
    batch: &mut Batch,
    asked: &Asked,
    streams: Vec<ChaCha20Rng>,
    progress: &mut dyn FnMut(Progress) -> Result<(), Interrupted>,
) -> Result<Vec<Array2<i64>>, GenerateError> {
    let (pieces, steps) = (streams.len(), asked.settings.steps);
    let mut told = vec![asked.silent(); pieces];
    batch.tell_of_cache()?;
    let bound = &mut batch.bound;
    let mut blocks = Steps::new(bound, asked, streams)?;
    for start in (0..steps).step_by(BLOCK) {
        let length = BLOCK.min(steps - start);
        blocks.begin(bound, start, length)?;
        if start == 0 && bound.records() {
            bound.run()?;
            blocks.silence(bound)?;
        }
        for step in start..start + length {
            progress(Progress {
                pieces,
                step,
                steps,
            })?;
            bound.run()?;
        }
        check_steps(bound, start + length)?;
        let history = bound.left_in::<i64>(names::HISTORY)?;
        tell(&mut told, history, start, length, asked)?;
    }
    Ok(told.into_iter().map(DelayedCodes::into_codes).collect())
}

/// That the graph took as many steps as it was run.
fn check_steps(bound: &mut Bound, expected: usize) -> Result<(), SessionError> {
    let taken = bound.left_in::<i64>(names::POSITION)?.to_vec();
    match taken == [expected as i64] {
        true => Ok(()),
        false => Err(bound.output_error(format!("{taken:?} steps after {expected} runs"))),
    }
}

/// What the graph is given of a batch's steps.
struct Steps {
    streams: Vec<ChaCha20Rng>,
    samples: bool,
    /// `[block, pieces, codebooks]`
    uniforms: Array3<f64>,
    pad: i64,
}

impl Steps {
    /// Before the first step: how the codes are chosen, and silence.
    fn new(
        bound: &mut Bound,
        asked: &Asked,
        streams: Vec<ChaCha20Rng>,
    ) -> Result<Self, SessionError> {
        let (pieces, codebooks) = (streams.len(), asked.decoder.codebooks);
        settings(bound, asked, pieces)?;
        let steps = Self {
            streams,
            samples: matches!(asked.settings.choice, Choice::Sample { .. }),
            uniforms: Array3::zeros((BLOCK, pieces, codebooks)),
            pad: asked.decoder.pad() as i64,
        };
        steps.silence(bound)?;
        Ok(steps)
    }

    /// Nothing said yet, and nothing chosen.
    fn silence(&self, bound: &mut Bound) -> Result<(), SessionError> {
        let (block, pieces, codebooks) = self.uniforms.dim();
        let silence = Array2::from_elem((pieces, codebooks), self.pad);
        let first = arr1(&[0i64]);
        let history = Array3::<i64>::zeros((pieces, codebooks, block));
        for (before, after, values) in [
            (names::CODES, names::NEXT_CODES, silence.view().into_dyn()),
            (
                names::POSITION,
                names::NEXT_POSITION,
                first.view().into_dyn(),
            ),
            (
                names::HISTORY,
                names::NEXT_HISTORY,
                history.view().into_dyn(),
            ),
        ] {
            bound.state(before, after, values)?;
        }
        Ok(())
    }

    /// What `length` steps from `start` on draw: one number a codebook and step, whether it speaks or not, in the order of
    /// the host's choice.
    fn begin(
        &mut self,
        bound: &mut Bound,
        start: usize,
        length: usize,
    ) -> Result<(), SessionError> {
        if self.samples {
            let of_pieces = self.uniforms.axis_iter_mut(Axis(1));
            for (mut uniforms, rng) in of_pieces.zip(&mut self.streams) {
                let of_steps = uniforms.rows_mut().into_iter().take(length);
                for mut step in of_steps {
                    step.iter_mut().for_each(|u| *u = sampler::uniform(rng));
                }
            }
        }
        bound.input(names::UNIFORMS, self.uniforms.view().into_dyn())?;
        scalar(bound, names::BLOCK_START, start as i64)
    }
}

/// Tell each piece what was chosen in the `length` steps from `start` on, of a history `[pieces, codebooks, block]`.
fn tell(
    told: &mut [DelayedCodes],
    history: &[i64],
    start: usize,
    length: usize,
    asked: &Asked,
) -> Result<(), GenerateError> {
    let codebooks = asked.decoder.codebooks;
    let mut chosen = vec![0; codebooks];
    let of_pieces = history.chunks_exact(codebooks * BLOCK);
    for (piece, (codes, history)) in told.iter_mut().zip(of_pieces).enumerate() {
        for step in 0..length {
            for (codebook, chosen) in chosen.iter_mut().enumerate() {
                *chosen = history[codebook * BLOCK + step];
                if *chosen == NOT_FINITE && codes.speaks(codebook) {
                    return Err(GenerateError::NotFinite {
                        job: asked.first + piece,
                        step: start + step,
                    });
                }
            }
            codes.push(&chosen);
        }
    }
    Ok(())
}

/// How the codes are chosen, once a batch.
fn settings(bound: &mut Bound, asked: &Asked, pieces: usize) -> Result<(), SessionError> {
    let guidance = asked.settings.guidance;
    // Conditional rows come first; without guidance there is no null branch, and a row less itself is zero.
    let null = match asked.settings.is_guided() {
        true => pieces,
        false => 0,
    };
    for (name, first) in [(names::CONDITIONAL_ROWS, 0), (names::NULL_ROWS, null)] {
        let rows = Array1::from_iter((first..first + pieces).map(|row| row as i64));
        bound.input(name, rows.view().into_dyn())?;
    }
    let vocab = asked.decoder.vocab;
    let (greedy, temperature, least, spare) = match asked.settings.choice {
        Choice::Greedy => (true, 1.0, 0, 0.0),
        Choice::Sample {
            temperature,
            top_k,
            top_p,
        } => {
            let least = match top_k {
                0 => 0,
                top_k => vocab.saturating_sub(top_k),
            };
            (
                false,
                f64::from(temperature),
                least as i64,
                1.0 - f64::from(top_p),
            )
        }
    };
    let frames = delay::frames(asked.settings.steps, asked.decoder.codebooks);
    scalar(bound, names::FRAMES, frames as i64)?;
    scalar(bound, names::GUIDANCE, guidance)?;
    scalar(bound, names::TEMPERATURE, temperature)?;
    scalar(bound, names::LEAST, least)?;
    scalar(bound, names::SPARE, spare)?;
    scalar(bound, names::GREEDY, greedy)
}

fn scalar<T: Element>(bound: &mut Bound, name: &str, value: T) -> Result<(), SessionError> {
    bound.input(name, arr1(&[value]).view().into_dyn())
}

#[cfg(test)]
mod tests;

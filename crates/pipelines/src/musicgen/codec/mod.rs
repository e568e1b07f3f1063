//! Codes to audio, through the codec's graphs.

mod tiles;

use std::collections::BTreeMap;

use checkpoint::musicgen::CodecConfig;
use ndarray::{Array3, ArrayView2, Axis, Ix3};
use onnx_export::Exported;
use onnx_export::musicgen::{Stages, names};
use ort_runtime::providers::Memory;
use ort_runtime::{Input, Runtime, Session};

use self::tiles::Tiles;
use super::super::batches::Batches;
use super::GenerateError;

/// Frames that the LSTM reads at once, of all pieces together: 8 pieces of 29.92 s.
///
/// Each step of it reads all weights, however many pieces there are; from 8 on another one gains little. The gates of so
/// many frames are 200 MB.
const FRAMES_AT_ONCE: usize = 12_000;
/// Samples that a device makes at once, 20 s: below a millisecond of its work, launching the kernels takes longer.
const SAMPLES_AT_ONCE: usize = 640_000;

/// Bytes that decoding `pieces` pieces of `frames` frames takes at most beside the weights: values of one run of the LSTM,
/// four gates and six states a channel and frame, as much again for what its allocator keeps, and a piece's tensors; of a
/// device also those of the stages' runs, ten of the size of the last.
pub(super) fn working_bytes(codec: &CodecConfig, pieces: usize, frames: usize) -> u64 {
    let at_once = FRAMES_AT_ONCE.min(pieces.saturating_mul(frames));
    let values = 2 * 10 * codec.widest() * at_once.max(frames);
    let samples = SAMPLES_AT_ONCE.min(frames.saturating_mul(codec.hop()));
    let of_stages = |stages: Stages| {
        let rows = samples / codec.hop() * stages.ratio;
        10 * rows * stages.channels_out
    };
    let coarse = of_stages(Stages::coarse(codec));
    // Channels of the samples before they are one.
    let fine = 10 * samples * codec.filters;
    4 * (values + coarse + fine) as u64
}

/// Tiles of `plan` that are run at once: one on the CPU, whose sessions are several.
fn tiles_at_once(runtime: &Runtime, codec: &CodecConfig, plan: &Stages) -> usize {
    match runtime.options().provider.entry().memory {
        Memory::Host => 1,
        Memory::Device(_) => {
            let samples = match plan.channels_out {
                1 => plan.values_out(),
                _ => plan.rows * codec.hop(),
            };
            (SAMPLES_AT_ONCE / samples).max(1)
        }
    }
}

/// EnCodec's decoder, loaded.
pub struct Codec {
    frames: Session,
    coarse: Tiles,
    fine: Tiles,
}

impl Codec {
    /// Load the graphs of a MusicGen export.
    pub fn load(runtime: &Runtime, export: &Exported) -> Result<Self, GenerateError> {
        let codec = &export.musicgen()?.codec;
        let tiles = |name, plan| -> Result<Tiles, GenerateError> {
            let at_once = tiles_at_once(runtime, codec, &plan);
            Ok(Tiles::load(runtime, &export.graph(name)?, plan, at_once)?)
        };
        Ok(Self {
            frames: runtime.session(
                &export.graph(names::CODEC_FRAMES)?,
                runtime.options().threads,
            )?,
            coarse: tiles(names::CODEC_COARSE, Stages::coarse(codec))?,
            fine: tiles(names::CODEC_FINE, Stages::fine(codec))?,
        })
    }

    /// Graph nodes by provider, by graph.
    pub fn placement(&self) -> BTreeMap<String, BTreeMap<String, usize>> {
        BTreeMap::from([
            (
                names::CODEC_FRAMES.to_owned(),
                self.frames.placement().clone(),
            ),
            (names::CODEC_COARSE.to_owned(), self.coarse.placement()),
            (names::CODEC_FINE.to_owned(), self.fine.placement()),
        ])
    }

    /// Hand over the mono audio of each piece, in their order; `codes` are `[codebooks, frames]`. What else is decoded
    /// does not change a piece's samples.
    ///
    /// # Errors
    /// What a graph or `each` returns; pieces handed over stay.
    pub fn decode<E: From<GenerateError>>(
        &mut self,
        codes: &[ArrayView2<i64>],
        mut each: impl FnMut(usize, Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut piece = 0;
        for alike in codes.chunk_by(|a, b| a.dim() == b.dim()) {
            let frames = alike.first().map_or(0, |codes| codes.ncols());
            let mut groups = Batches::new(alike.len(), FRAMES_AT_ONCE / frames.max(1));
            loop {
                let next = groups.next(
                    |group| self.states(&alike[group]),
                    GenerateError::is_out_of_memory,
                    |halved| halved.note("pieces in the codec"),
                );
                let Some((_, states)) = next.map_err(GenerateError::of_a_piece_alone)? else {
                    break;
                };
                for states in states.outer_iter() {
                    each(piece, self.audio(states)?)?;
                    piece += 1;
                }
            }
        }
        Ok(())
    }

    /// The samples of one piece with the states `[frames, channels]`.
    fn audio(&mut self, states: ArrayView2<f32>) -> Result<Vec<f32>, GenerateError> {
        let coarse = self.coarse.run(states)?;
        let fine = self.fine.run(coarse.view())?;
        Ok(fine.into_raw_vec_and_offset().0)
    }

    /// The states `[pieces, frames, channels]` of pieces that are equally long.
    fn states(
        &mut self,
        pieces: &[ArrayView2<i64>],
    ) -> Result<ndarray::Array3<f32>, GenerateError> {
        let (codebooks, frames) = pieces.first().map_or((0, 0), |codes| codes.dim());
        let mut codes = Array3::zeros((pieces.len(), codebooks, frames));
        for (mut slot, codes) in codes.axis_iter_mut(Axis(0)).zip(pieces) {
            slot.assign(codes);
        }
        let inputs = [("codes", Input::Int64(codes.view().into_dyn()))];
        let [states] = self.frames.run(&inputs, ["states"])?;
        let states = states.into_dimensionality::<Ix3>();
        Ok(states.map_err(|e| self.frames.output_error(e.to_string()))?)
    }
}

//! EnCodec's decoder: codes to audio, as three graphs.
//!
//! `frames` reads the codes of many pieces at once, because its LSTM reads 67 MB of weights for every frame. `coarse` and
//! `fine` are the upsampling stages, by tiles of one piece: a tile's tensors stay in the caches, and its samples do not
//! depend on what else is decoded. Signals are `[time, channels]`, so that every convolution is a matrix product with
//! weights that ONNX Runtime packs once, and a transposed one ends in a reshape that copies nothing.
//!
//! Source: Défossez et al., High Fidelity Neural Audio Compression (arXiv 2210.13438); `EncodecModel.decode` of
//! transformers. Figures: benches/RESULTS.md.

mod convolution;
mod frames;
mod signal;
mod stages;
mod upsample;
mod winograd;

pub(super) use frames::build as build_frames;
pub use stages::Stages;
pub(super) use stages::{build_coarse, build_fine};

/// Where the decoder's layers are in a checkpoint.
const LAYERS: &str = "audio_encoder.decoder.layers";

/// Elements to add on the left and on the right of a convolution of stride 1, so that it keeps the length.
fn padding(kernel: usize, dilation: usize) -> (usize, usize) {
    let total = (kernel - 1) * dilation;
    (total - total / 2, total / 2)
}

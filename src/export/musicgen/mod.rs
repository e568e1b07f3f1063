//! MusicGen as graphs: the text encoder, the cross-attention's keys and values, one step of the decoder, and the codec in
//! three parts.

mod codec;
mod cross;
mod decoder;
mod positions;
mod text;

pub use codec::Stages;

use crate::checkpoint::musicgen::MusicgenWeights;
use crate::onnx::GraphBuilder;

use super::ExportError;
use super::blocks::Tower;

/// Builds one graph.
pub(super) type Build = fn(&mut GraphBuilder, &MusicgenWeights) -> Result<(), ExportError>;

/// The graphs by name.
pub(super) const GRAPHS: [(&str, Build); 6] = [
    (names::TEXT, text::build),
    (names::CROSS, cross::build),
    (names::DECODER, decoder::build),
    (names::CODEC_FRAMES, codec::build_frames),
    (names::CODEC_COARSE, codec::build_coarse),
    (names::CODEC_FINE, codec::build_fine),
];

/// Names of the graphs, and of inputs and outputs that are numbered by layer.
pub mod names {
    pub const TEXT: &str = "text_encoder";
    pub const CROSS: &str = "cross_attention";
    pub const DECODER: &str = "decoder";
    pub const CODEC_FRAMES: &str = "codec_frames";
    pub const CODEC_COARSE: &str = "codec_coarse";
    pub const CODEC_FINE: &str = "codec_fine";

    /// Input of the decoder: keys or values so far, by layer.
    pub fn past(layer: usize) -> [String; 2] {
        [format!("past_key.{layer}"), format!("past_value.{layer}")]
    }

    /// Output of the decoder: the same with the new step.
    pub fn present(layer: usize) -> [String; 2] {
        [
            format!("present_key.{layer}"),
            format!("present_value.{layer}"),
        ]
    }

    /// Output of the cross-attention's graph and input of the decoder, by layer.
    pub fn cross(layer: usize) -> [String; 2] {
        [format!("cross_key.{layer}"), format!("cross_value.{layer}")]
    }
}

type MusicgenTower<'g, 'w, 'c> = Tower<'g, 'w, 'c, MusicgenWeights<'c>>;

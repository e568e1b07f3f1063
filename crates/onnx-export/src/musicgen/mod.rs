//! MusicGen as graphs: the text encoder, the cross-attention's keys and values, one step of the decoder, and the codec in
//! three parts.

pub mod choice;
mod codec;
mod cross;
mod decoder;
mod positions;
mod self_attention;
mod text;

pub use choice::NOT_FINITE;
pub use codec::Stages;

use checkpoint::musicgen::MusicgenWeights;
use serde::{Deserialize, Serialize};

use onnx_graph::Precision;
use onnx_graph::{Element, GraphBuilder};

use super::blocks::Tower;
use super::{CacheForm, ExportError};

/// How the graphs are to be made.
pub(super) struct Plan<'a> {
    /// What the graph's products are computed in.
    pub precision: Precision,
    pub cache: CacheForm,
    /// Whether the decoder's attention to its cache is one operator.
    pub fuse_cached_attention: bool,
    /// Whether the decoder chooses the codes too.
    pub choose_codes: bool,
    /// What the cache holds.
    pub cache_element: Element,
    pub cache_scales: Option<&'a CacheScales>,
}

/// Scales of an int8 cache, found by running the decoder on a few prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheScales {
    /// By layer, of keys and of values, each `[heads * head_dim]`.
    pub layers: Vec<[Vec<f32>; 2]>,
}

/// Builds one graph.
pub(super) type Build = fn(&mut GraphBuilder, &MusicgenWeights, &Plan) -> Result<(), ExportError>;

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

    /// Input of the decoder `[pieces, codebooks]` i64: what each codebook said last, or pad.
    pub const CODES: &str = "codes";
    /// Input of the decoder `[1]` i64, from 0.
    pub const POSITION: &str = "position";

    // Of a decoder that chooses the codes: inputs (`choice`), then what comes of a step, whose buffers are those of the
    // inputs of the same meaning.
    pub const CONDITIONAL_ROWS: &str = "conditional_rows";
    pub const NULL_ROWS: &str = "null_rows";
    pub const GUIDANCE: &str = "guidance";
    pub const TEMPERATURE: &str = "temperature";
    pub const LEAST: &str = "least";
    pub const SPARE: &str = "spare";
    pub const GREEDY: &str = "greedy";
    pub const UNIFORMS: &str = "uniforms";
    pub const BLOCK_START: &str = "block_start";
    pub const FRAMES: &str = "frames";
    pub const HISTORY: &str = "history";
    /// Whole numbers from 0, one for each place of the cache.
    pub const PLACES: &str = "places";
    pub const NEXT_CODES: &str = "next_codes";
    pub const NEXT_HISTORY: &str = "next_history";
    pub const NEXT_POSITION: &str = "next_position";

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

    /// Output of the decoder where the caller keeps the cache: what the step adds, by layer.
    pub fn new(layer: usize) -> [String; 2] {
        [format!("new_key.{layer}"), format!("new_value.{layer}")]
    }

    /// Output of the cross-attention's graph and input of the decoder, by layer.
    pub fn cross(layer: usize) -> [String; 2] {
        [format!("cross_key.{layer}"), format!("cross_value.{layer}")]
    }
}

type MusicgenTower<'g, 'w, 'c> = Tower<'g, 'w, 'c, MusicgenWeights<'c>>;

//! MusicGen as graphs: the text encoder, the cross-attention's keys and values, one step of the decoder, and the codec in
//! three parts.

pub mod choice;
mod codec;
mod cross;
mod decoder;
pub mod names;
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

type MusicgenTower<'g, 'w, 'c> = Tower<'g, 'w, 'c, MusicgenWeights<'c>>;

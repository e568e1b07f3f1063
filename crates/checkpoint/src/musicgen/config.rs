//! The sizes of a MusicGen model.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A `MusicgenForConditionalGeneration`, as its `config.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MusicgenConfig {
    /// The encoder of the prompt.
    pub text: TextConfig,
    /// What makes codes.
    pub decoder: DecoderConfig,
    /// What makes audio of them.
    pub codec: CodecConfig,
}

/// The T5 encoder (Raffel et al., arXiv 1910.10683).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Rows of the word embeddings.
    pub vocab: usize,
    /// Channels of a state (`d_model`).
    pub hidden: usize,
    /// Channels of one head (`d_kv`); times the heads it need not be `hidden`.
    pub head_dim: usize,
    pub heads: usize,
    /// Channels between the two matrices of a block's feed-forward part (`d_ff`).
    pub feed_forward: usize,
    /// Blocks of the encoder.
    pub layers: usize,
    /// Of relative positions, both directions together.
    pub buckets: usize,
    /// Distances from here on share a bucket.
    pub max_distance: usize,
    /// Added to the mean square in a norm.
    pub epsilon: f32,
}

/// The decoder over codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecoderConfig {
    /// Codes of a codebook. The same number is the id of the pad token, which no head predicts.
    pub vocab: usize,
    /// Channels of a state; a multiple of `heads`.
    pub hidden: usize,
    /// Of self-attention and cross-attention alike.
    pub heads: usize,
    /// Channels between the two matrices of a layer's feed-forward part (`ffn_dim`).
    pub feed_forward: usize,
    pub layers: usize,
    /// Codes of a frame, one from each.
    pub codebooks: usize,
    /// Steps that one piece may take.
    pub max_positions: usize,
}

impl DecoderConfig {
    /// Channels of one head.
    pub fn head_dim(&self) -> usize {
        self.hidden / self.heads
    }

    /// What stands where a codebook is silent, and before the first step.
    pub fn pad(&self) -> usize {
        self.vocab
    }
}

/// EnCodec's decoder (Défossez et al., arXiv 2210.13438): non-causal, mono, weight norm, reflect padding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodecConfig {
    /// In Hz.
    pub sampling_rate: usize,
    /// Codebooks that the decoder speaks; the checkpoint may hold more.
    pub codebooks: usize,
    /// Codes of a codebook.
    pub codebook_size: usize,
    /// Channels of a quantised frame.
    pub hidden: usize,
    /// Channels before the last convolution; each ratio before it has twice as many.
    pub filters: usize,
    /// Upsampling ratios, in the order of the decoder.
    pub ratios: Vec<usize>,
    /// Taps of the first convolution.
    pub kernel_size: usize,
    /// Taps of the last convolution.
    pub last_kernel_size: usize,
    /// Taps of the first convolution of a residual layer; the second has one.
    pub residual_kernel_size: usize,
    /// Residual layers behind each transposed convolution.
    pub residual_layers: usize,
    /// The dilation of residual layer `j` is this to the power of `j`.
    pub dilation_growth_rate: usize,
    pub lstm_layers: usize,
    /// A residual layer's inner channels are its outer ones divided by this.
    pub compress: usize,
}

impl CodecConfig {
    /// Samples of one frame.
    pub fn hop(&self) -> usize {
        self.ratios.iter().product()
    }

    /// Frames a second.
    pub fn frame_rate(&self) -> f64 {
        self.sampling_rate as f64 / self.hop() as f64
    }

    /// Channels after the first convolution and in the LSTM.
    pub fn widest(&self) -> usize {
        self.filters << self.ratios.len()
    }
}

impl foreign::Safe for MusicgenConfig {}

/// In the words of `harness inspect`.
impl fmt::Display for MusicgenConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decoder, text, .. } = self;
        write!(
            f,
            "musicgen, decoder {} x {}, T5 {} x {}, EnCodec {} kHz",
            decoder.layers,
            decoder.hidden,
            text.layers,
            text.hidden,
            self.codec.sampling_rate as f64 / 1e3
        )
    }
}

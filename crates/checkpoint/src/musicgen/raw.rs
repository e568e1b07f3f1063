//! `config.json` as transformers writes it, with transformers' defaults where it is silent.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct RawConfig {
    pub model_type: Option<String>,
    pub text_encoder: RawText,
    pub audio_encoder: RawCodec,
    pub decoder: RawDecoder,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct RawText {
    pub model_type: Option<String>,
    pub vocab_size: usize,
    pub d_model: usize,
    pub d_kv: usize,
    pub d_ff: usize,
    pub num_layers: usize,
    pub num_heads: usize,
    pub relative_attention_num_buckets: usize,
    pub relative_attention_max_distance: usize,
    pub layer_norm_epsilon: f64,
    pub feed_forward_proj: String,
}

/// `T5Config`.
impl Default for RawText {
    fn default() -> Self {
        Self {
            model_type: None,
            vocab_size: 32128,
            d_model: 512,
            d_kv: 64,
            d_ff: 2048,
            num_layers: 6,
            num_heads: 8,
            relative_attention_num_buckets: 32,
            relative_attention_max_distance: 128,
            layer_norm_epsilon: 1e-6,
            feed_forward_proj: "relu".to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct RawDecoder {
    pub model_type: Option<String>,
    pub vocab_size: usize,
    pub max_position_embeddings: usize,
    pub num_hidden_layers: usize,
    pub ffn_dim: usize,
    pub num_attention_heads: usize,
    pub activation_function: String,
    pub hidden_size: usize,
    pub scale_embedding: bool,
    pub num_codebooks: usize,
    pub audio_channels: usize,
    pub pad_token_id: Option<usize>,
    pub bos_token_id: Option<usize>,
    pub cross_attention_hidden_size: Option<usize>,
}

/// `MusicgenDecoderConfig`.
impl Default for RawDecoder {
    fn default() -> Self {
        Self {
            model_type: None,
            vocab_size: 2048,
            max_position_embeddings: 2048,
            num_hidden_layers: 24,
            ffn_dim: 4096,
            num_attention_heads: 16,
            activation_function: "gelu".to_owned(),
            hidden_size: 1024,
            scale_embedding: false,
            num_codebooks: 4,
            audio_channels: 1,
            pad_token_id: None,
            bos_token_id: None,
            cross_attention_hidden_size: None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct RawCodec {
    pub model_type: Option<String>,
    pub sampling_rate: usize,
    pub audio_channels: usize,
    pub normalize: bool,
    pub hidden_size: usize,
    pub num_filters: usize,
    pub num_residual_layers: usize,
    pub upsampling_ratios: Vec<usize>,
    pub norm_type: String,
    pub kernel_size: usize,
    pub last_kernel_size: usize,
    pub residual_kernel_size: usize,
    pub dilation_growth_rate: usize,
    pub use_causal_conv: bool,
    pub pad_mode: String,
    pub compress: usize,
    pub num_lstm_layers: usize,
    pub codebook_size: usize,
    pub codebook_dim: Option<usize>,
    pub use_conv_shortcut: bool,
}

/// `EncodecConfig`.
impl Default for RawCodec {
    fn default() -> Self {
        Self {
            model_type: None,
            sampling_rate: 24000,
            audio_channels: 1,
            normalize: false,
            hidden_size: 128,
            num_filters: 32,
            num_residual_layers: 1,
            upsampling_ratios: vec![8, 5, 4, 2],
            norm_type: "weight_norm".to_owned(),
            kernel_size: 7,
            last_kernel_size: 7,
            residual_kernel_size: 3,
            dilation_growth_rate: 2,
            use_causal_conv: true,
            pad_mode: "reflect".to_owned(),
            compress: 2,
            num_lstm_layers: 2,
            codebook_size: 1024,
            codebook_dim: None,
            use_conv_shortcut: true,
        }
    }
}

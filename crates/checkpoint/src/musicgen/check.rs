//! What a configuration may say: no impossible size, and nothing that would change the arithmetic unnoticed.

use std::fmt;
use std::path::Path;

use foreign::words;
use foreign::{Foreign, Words};

use super::super::CheckpointError;
use super::raw::{RawCodec, RawDecoder, RawText};
use super::{CodecConfig, DecoderConfig, TextConfig};

/// No size in any public model comes near it; products of two stay far from overflow.
const LARGEST: usize = 1 << 20;
/// The table of positions is computed, so no tensor bears out their number; public models have 2,048.
const MOST_POSITIONS: usize = 1 << 15;
/// ONNX Runtime's attention takes heads of a multiple of so many channels.
const HEAD_CHANNELS: usize = 8;
/// As [`LARGEST`], for what each needs tensors of its own.
const MOST_LAYERS: usize = 1 << 10;

/// The refusals of one checkpoint's configuration.
pub(super) struct Check<'a> {
    pub path: &'a Path,
}

impl Check<'_> {
    pub fn refuse(&self, detail: impl Into<Words>) -> CheckpointError {
        CheckpointError::NotMusicgen {
            path: self.path.to_owned(),
            detail: detail.into(),
        }
    }

    /// Each is between 1 and [`LARGEST`].
    fn sizes(&self, part: &str, sizes: &[(&str, usize)]) -> Result<(), CheckpointError> {
        match sizes.iter().find(|(_, n)| !(1..=LARGEST).contains(n)) {
            Some((name, n)) => Err(self.refuse(words!(
                "its config.json has {}.{} {}, which no model has",
                Foreign::new(part),
                Foreign::new(name),
                n
            ))),
            None => Ok(()),
        }
    }

    fn layers(&self, key: &str, count: usize) -> Result<(), CheckpointError> {
        match (1..=MOST_LAYERS).contains(&count) {
            true => Ok(()),
            false => Err(self.refuse(words!(
                "its config.json has {} {}, which no model has",
                Foreign::new(key),
                count
            ))),
        }
    }

    /// What is implemented is `wanted`.
    fn only<T: PartialEq + fmt::Display>(
        &self,
        key: &str,
        found: T,
        wanted: T,
    ) -> Result<(), CheckpointError> {
        if found == wanted {
            return Ok(());
        }
        let (found, wanted) = (
            Foreign::new(found.to_string()),
            Foreign::new(wanted.to_string()),
        );
        Err(self.refuse(words!(
            "its config.json has {} {}; only {} is implemented",
            Foreign::new(key),
            found,
            wanted
        )))
    }

    pub fn text(&self, raw: RawText) -> Result<TextConfig, CheckpointError> {
        self.only(
            "text_encoder.model_type",
            raw.model_type.as_deref().unwrap_or("t5"),
            "t5",
        )?;
        self.only(
            "text_encoder.feed_forward_proj",
            raw.feed_forward_proj.as_str(),
            "relu",
        )?;
        self.sizes(
            "text_encoder",
            &[
                ("vocab_size", raw.vocab_size),
                ("d_model", raw.d_model),
                ("d_kv", raw.d_kv),
                ("d_ff", raw.d_ff),
                ("num_heads", raw.num_heads),
                (
                    "relative_attention_num_buckets",
                    raw.relative_attention_num_buckets,
                ),
                (
                    "relative_attention_max_distance",
                    raw.relative_attention_max_distance,
                ),
            ],
        )?;
        self.layers("text_encoder.num_layers", raw.num_layers)?;
        let (buckets, distance) = (
            raw.relative_attention_num_buckets,
            raw.relative_attention_max_distance,
        );
        if !buckets.is_multiple_of(4) || distance <= buckets / 4 {
            return Err(self.refuse(words!(
                "its config.json has {} relative buckets up to a distance of {}, which is impossible",
                buckets,
                distance
            )));
        }
        if !(0.0..=1e-2).contains(&raw.layer_norm_epsilon) {
            return Err(
                self.refuse("its config.json has an impossible text_encoder.layer_norm_epsilon")
            );
        }
        Ok(TextConfig {
            vocab: raw.vocab_size,
            hidden: raw.d_model,
            head_dim: raw.d_kv,
            heads: raw.num_heads,
            feed_forward: raw.d_ff,
            layers: raw.num_layers,
            buckets,
            max_distance: distance,
            epsilon: raw.layer_norm_epsilon as f32,
        })
    }

    pub fn decoder(&self, raw: RawDecoder) -> Result<DecoderConfig, CheckpointError> {
        let kind = raw.model_type.as_deref().unwrap_or("musicgen_decoder");
        self.only("decoder.model_type", kind, "musicgen_decoder")?;
        if raw.audio_channels != 1 {
            return Err(self.refuse(words!(
                "its config.json has decoder.audio_channels {}: stereo models are not implemented, only mono ones",
                raw.audio_channels
            )));
        }
        self.only(
            "decoder.activation_function",
            raw.activation_function.as_str(),
            "gelu",
        )?;
        self.only("decoder.scale_embedding", raw.scale_embedding, false)?;
        self.sizes(
            "decoder",
            &[
                ("vocab_size", raw.vocab_size),
                ("hidden_size", raw.hidden_size),
                ("ffn_dim", raw.ffn_dim),
                ("num_attention_heads", raw.num_attention_heads),
                ("max_position_embeddings", raw.max_position_embeddings),
            ],
        )?;
        self.layers("decoder.num_hidden_layers", raw.num_hidden_layers)?;
        self.layers("decoder.num_codebooks", raw.num_codebooks)?;
        for (key, id) in [
            ("pad_token_id", raw.pad_token_id),
            ("bos_token_id", raw.bos_token_id),
        ] {
            self.only(
                &format!("decoder.{key}"),
                id.unwrap_or(raw.vocab_size),
                raw.vocab_size,
            )?;
        }
        if !raw.hidden_size.is_multiple_of(raw.num_attention_heads)
            || !raw.hidden_size.is_multiple_of(2)
        {
            return Err(self.refuse(words!(
                "its config.json has decoder.hidden_size {}, which {} heads cannot share",
                raw.hidden_size,
                raw.num_attention_heads
            )));
        }
        let head = raw.hidden_size / raw.num_attention_heads;
        if !head.is_multiple_of(HEAD_CHANNELS) {
            return Err(self.refuse(words!(
                "its config.json has decoder heads of {} channels; only multiples of {} are implemented",
                head,
                HEAD_CHANNELS
            )));
        }
        if raw.max_position_embeddings > MOST_POSITIONS {
            return Err(self.refuse(words!(
                "its config.json has decoder.max_position_embeddings {}; only up to {} are implemented",
                raw.max_position_embeddings,
                MOST_POSITIONS
            )));
        }
        if let Some(cross) = raw.cross_attention_hidden_size {
            self.only(
                "decoder.cross_attention_hidden_size",
                cross,
                raw.hidden_size,
            )?;
        }
        // Half of a position's channels are cosines, whose frequencies divide by half - 1.
        if raw.hidden_size < 4 {
            return Err(self.refuse("its config.json has a decoder.hidden_size below 4"));
        }
        Ok(DecoderConfig {
            vocab: raw.vocab_size,
            hidden: raw.hidden_size,
            heads: raw.num_attention_heads,
            feed_forward: raw.ffn_dim,
            layers: raw.num_hidden_layers,
            codebooks: raw.num_codebooks,
            max_positions: raw.max_position_embeddings,
        })
    }

    pub fn codec(
        &self,
        raw: RawCodec,
        decoder: &DecoderConfig,
    ) -> Result<CodecConfig, CheckpointError> {
        let kind = raw.model_type.as_deref().unwrap_or("encodec");
        self.only("audio_encoder.model_type", kind, "encodec")?;
        self.only("audio_encoder.audio_channels", raw.audio_channels, 1)?;
        self.only("audio_encoder.normalize", raw.normalize, false)?;
        self.only(
            "audio_encoder.norm_type",
            raw.norm_type.as_str(),
            "weight_norm",
        )?;
        self.only("audio_encoder.use_causal_conv", raw.use_causal_conv, false)?;
        self.only("audio_encoder.pad_mode", raw.pad_mode.as_str(), "reflect")?;
        self.only(
            "audio_encoder.use_conv_shortcut",
            raw.use_conv_shortcut,
            false,
        )?;
        self.only(
            "audio_encoder.codebook_size",
            raw.codebook_size,
            decoder.vocab,
        )?;
        if let Some(dim) = raw.codebook_dim {
            self.only("audio_encoder.codebook_dim", dim, raw.hidden_size)?;
        }
        self.sizes(
            "audio_encoder",
            &[
                ("sampling_rate", raw.sampling_rate),
                ("hidden_size", raw.hidden_size),
                ("num_filters", raw.num_filters),
                ("kernel_size", raw.kernel_size),
                ("last_kernel_size", raw.last_kernel_size),
                ("residual_kernel_size", raw.residual_kernel_size),
                ("num_residual_layers", raw.num_residual_layers),
                ("dilation_growth_rate", raw.dilation_growth_rate),
                ("compress", raw.compress),
            ],
        )?;
        self.layers("audio_encoder.num_lstm_layers", raw.num_lstm_layers)?;
        let ratios = raw.upsampling_ratios;
        let small = |n: usize, most: usize| (1..=most).contains(&n);
        if !small(ratios.len(), 8) || !ratios.iter().all(|&ratio| small(ratio, 64)) {
            return Err(
                self.refuse("its config.json has impossible audio_encoder.upsampling_ratios")
            );
        }
        if !small(raw.num_residual_layers, 8)
            || !small(raw.dilation_growth_rate, 8)
            || !raw.num_filters.is_multiple_of(raw.compress)
            || ratios.iter().product::<usize>() > raw.sampling_rate
        {
            return Err(self.refuse("its config.json has impossible sizes of audio_encoder"));
        }
        // One frame is the shortest signal; only the first convolution is made for padding that it cannot be mirrored into.
        let mut length = 1;
        let mut fits = true;
        for &ratio in &ratios {
            length *= ratio;
            let layers = (0..raw.num_residual_layers as u32).map(|layer| {
                let dilation = raw.dilation_growth_rate.pow(layer);
                (raw.residual_kernel_size - 1) * dilation
            });
            fits &= layers.into_iter().all(|total| total.div_ceil(2) < length);
        }
        fits &= (raw.last_kernel_size - 1).div_ceil(2) < length;
        if !fits {
            return Err(self.refuse(
                "its config.json has kernels in audio_encoder that reach farther than a frame is long, which no public \
                 model has and is not implemented",
            ));
        }
        Ok(CodecConfig {
            sampling_rate: raw.sampling_rate,
            codebooks: decoder.codebooks,
            codebook_size: raw.codebook_size,
            hidden: raw.hidden_size,
            filters: raw.num_filters,
            ratios,
            kernel_size: raw.kernel_size,
            last_kernel_size: raw.last_kernel_size,
            residual_kernel_size: raw.residual_kernel_size,
            residual_layers: raw.num_residual_layers,
            dilation_growth_rate: raw.dilation_growth_rate,
            lstm_layers: raw.num_lstm_layers,
            compress: raw.compress,
        })
    }
}

//! The configuration beside the weights, read and checked.

use foreign::{Foreign, words};

use super::super::{Checkpoint, CheckpointError};
use super::check::Check;
use super::config::MusicgenConfig;
use super::is_musicgen;
use super::raw::RawConfig;

impl MusicgenConfig {
    /// Read the configuration beside the weights.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let path = checkpoint.path();
        let check = Check { path };
        if !is_musicgen(checkpoint) {
            return Err(check.refuse(
                "it does not hold the three parts of one (text_encoder, decoder, audio_encoder); `harness inspect` says \
                 what it is, and its card must have that kind",
            ));
        }
        let Some(config) = checkpoint.config() else {
            return Err(check.refuse(
                "there is no config.json beside its weights, which states the model's sizes; put the one that came \
                 with them there",
            ));
        };
        if let Some(kind) = config.get("model_type").and_then(|v| v.as_str())
            && kind != "musicgen"
        {
            let kind = Foreign::new(kind);
            return Err(check.refuse(words!(
                "its config.json says model_type {}; only musicgen (text to music, mono) is implemented, not \
                 musicgen_melody and no other",
                kind
            )));
        }
        let raw: RawConfig = serde_json::from_value(config.clone()).map_err(|e| {
            let detail = Foreign::said(e);
            check.refuse(words!(
                "its config.json is not MusicGen's: {}; use the one that came with these weights",
                detail
            ))
        })?;
        if raw.model_type.is_none() {
            return Err(check.refuse(
                "its config.json has no model_type; use the one that came with these weights",
            ));
        }
        let decoder = check.decoder(raw.decoder)?;
        let codec = check.codec(raw.audio_encoder, &decoder)?;
        Ok(Self {
            text: check.text(raw.text_encoder)?,
            decoder,
            codec,
        })
    }
}

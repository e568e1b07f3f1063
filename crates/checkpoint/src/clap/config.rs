//! What `config.json` of a `ClapModel` adds to the tensors, and what in it would change the arithmetic.

use std::path::Path;

use foreign::words;
use foreign::{Foreign, Words};
use serde_json::{Value, json};

use super::super::CheckpointError;

/// The text tower's settings that its tensors do not show; transformers' defaults where `config.json` is silent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextSettings {
    pub layer_norm_eps: f32,
    pub pad_id: usize,
    /// `None`: heads of 64 channels, as in RoBERTa.
    pub heads: Option<usize>,
}

impl Default for TextSettings {
    fn default() -> Self {
        Self {
            layer_norm_eps: 1e-12,
            pad_id: 1,
            heads: None,
        }
    }
}

/// Settings with one value that is implemented, which is also transformers' default.
fn implemented() -> [(&'static str, Value); 10] {
    [
        ("/audio_config/hidden_act", json!("gelu")),
        ("/audio_config/projection_hidden_act", json!("relu")),
        ("/audio_config/layer_norm_eps", json!(1e-5)),
        ("/audio_config/enable_patch_layer_norm", json!(true)),
        ("/audio_config/spec_size", json!(256)),
        ("/audio_config/patch_stride", json!([4, 4])),
        ("/text_config/hidden_act", json!("gelu")),
        ("/text_config/projection_hidden_act", json!("relu")),
        ("/text_config/position_embedding_type", json!("absolute")),
        ("/projection_hidden_act", json!("relu")),
    ]
}

/// Read the settings of the text tower; refuse a model that computes otherwise than what is implemented.
pub(super) fn text_settings(path: &Path, config: &Value) -> Result<TextSettings, CheckpointError> {
    let refuse = |detail: Words| {
        let way_out = "use the config.json that came with these weights";
        CheckpointError::not_clap(path, words!("its config.json has {}; {}", detail, way_out))
    };
    for (key, value) in implemented() {
        if let Some(found) = config.pointer(key).filter(|v| !v.is_null())
            && !same(found, &value)
        {
            let found = Foreign::new(found.to_string());
            return Err(refuse(words!(
                "{} {}, only {} is implemented",
                dotted(key),
                found,
                Foreign::new(value.to_string())
            )));
        }
    }
    let mut settings = TextSettings::default();
    if let Some(eps) = config.pointer("/text_config/layer_norm_eps") {
        let small = eps.as_f64().filter(|e| (0.0..=1e-2).contains(e));
        settings.layer_norm_eps =
            small.ok_or_else(|| refuse("an impossible text_config.layer_norm_eps".into()))? as f32;
    }
    let number = |key: &str| {
        let found = config.pointer(key).filter(|v| !v.is_null());
        let read = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
        found
            .map(|v| read(v).ok_or_else(|| refuse(words!("an impossible {}", dotted(key)))))
            .transpose()
    };
    settings.heads = number("/text_config/num_attention_heads")?;
    settings.pad_id = number("/text_config/pad_token_id")?.unwrap_or(settings.pad_id);
    Ok(settings)
}

/// Whether the model was saved with fusion, if `config.json` says.
pub(super) fn fusion(config: &Value) -> Option<bool> {
    config.pointer("/audio_config/enable_fusion")?.as_bool()
}

fn same(found: &Value, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => found == wanted,
    }
}

fn dotted(pointer: &str) -> Foreign {
    Foreign::new(pointer.trim_start_matches('/').replace('/', "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_the_text_config() {
        let config = json!({ "text_config": { "layer_norm_eps": 1e-7, "num_attention_heads": 2, "pad_token_id": 3 } });
        let settings = text_settings(Path::new("m"), &config).unwrap();
        assert_eq!(settings.layer_norm_eps, 1e-7);
        assert_eq!((settings.heads, settings.pad_id), (Some(2), 3));
        let silent = text_settings(Path::new("m"), &json!({})).unwrap();
        assert_eq!(silent, TextSettings::default());
    }

    #[test]
    fn another_activation_is_refused() {
        let config = json!({ "text_config": { "hidden_act": "gelu_new" } });
        let message = text_settings(Path::new("m"), &config)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("text_config.hidden_act \"gelu_new\""),
            "{message}"
        );
    }
}

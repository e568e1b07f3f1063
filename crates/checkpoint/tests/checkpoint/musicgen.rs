//! MusicGen folders: configurations and tensors that do not belong together are refused by name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use checkpoint::Checkpoint;
use checkpoint::clap::inspect_report;
use checkpoint::musicgen::MusicgenWeights;
use safetensors::{SafeTensors, serialize_to_file, tensor::TensorView};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A checkpoint of the project: the demo's (`weight_g`, `weight_v`) or the sharded one (parametrisations).
fn original(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder)
}

const DEMO: &str = "assets/demo/musicgen";
const SHARDED: &str = "tests/data/musicgen_sharded";

/// A copy that a test may spoil.
fn copy(folder: &str) -> TempDir {
    let copied = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(original(folder)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copied.path().join(path.file_name().unwrap())).unwrap();
    }
    copied
}

fn load(folder: &Path) -> Result<(), String> {
    let checkpoint = Checkpoint::open(folder).map_err(|e| e.to_string())?;
    let loaded = MusicgenWeights::load(&checkpoint);
    loaded.map(drop).map_err(|e| e.to_string())
}

/// The error of the demo's folder with `value` at `pointer` of its config.json.
fn with_config(pointer: &str, value: Value) -> String {
    let folder = copy(DEMO);
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[key] = value;
    fs::write(&path, config.to_string()).unwrap();
    load(folder.path()).expect_err(pointer)
}

/// Rewrite the demo's tensors under other names; `None` drops one.
fn renamed(rename: impl Fn(&str) -> Option<String>) -> TempDir {
    let folder = copy(DEMO);
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let kept: HashMap<String, TensorView> = tensors
        .iter()
        .filter_map(|(name, view)| Some((rename(name)?, view)))
        .collect();
    serialize_to_file(kept, None, &path).unwrap();
    folder
}

#[test]
fn both_spellings_of_weight_norm_and_shards_are_read() {
    for folder in [DEMO, SHARDED] {
        let checkpoint = Checkpoint::open(&original(folder)).unwrap();
        let weights = MusicgenWeights::load(&checkpoint).unwrap();
        assert_eq!(weights.leftover(), [""; 0], "{folder}");
        // The norm of a row is its gain, whichever names the two have.
        let name = "audio_encoder.decoder.layers.0.conv";
        let weight = weights.get(&format!("{name}.weight")).unwrap();
        let gains = ["weight_g", "parametrizations.weight.original0"];
        let gain = gains
            .iter()
            .find_map(|gain| checkpoint.f32(&format!("{name}.{gain}")).ok())
            .unwrap();
        let row = weight.data.len() / gain.data.len();
        for (values, gain) in weight.data.chunks(row).zip(gain.data.iter()) {
            let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!(
                (norm - gain.abs()).abs() < 1e-5 * gain.abs(),
                "{norm} {gain}"
            );
        }
    }
}

#[test]
fn optional_names_may_come_or_go() {
    let words = "text_encoder.shared.weight";
    let other = "text_encoder.encoder.embed_tokens.weight";
    let positions = "decoder.model.decoder.embed_positions.weights";
    let swapped = renamed(|name| match name {
        _ if name == words => Some(other.to_owned()),
        _ if name == positions => None,
        _ => Some(name.to_owned()),
    });
    load(swapped.path()).unwrap();
    let neither = renamed(|name| (name != words && name != other).then(|| name.to_owned()));
    let message = load(neither.path()).unwrap_err();
    assert!(message.contains(words), "{message}");
}

#[test]
fn a_folder_without_config_json_says_what_it_needs() {
    let folder = copy(DEMO);
    fs::remove_file(folder.path().join("config.json")).unwrap();
    let message = load(folder.path()).unwrap_err();
    assert!(message.contains("no config.json"), "{message}");
    fs::write(folder.path().join("config.json"), "{").unwrap();
    let message = load(folder.path()).unwrap_err();
    assert!(message.contains("not valid JSON"), "{message}");
}

#[test]
fn a_config_that_does_not_fit_the_tensors_names_them() {
    let message = with_config("/decoder/ffn_dim", json!(96));
    assert!(message.contains("fc1.weight"), "{message}");
    assert!(message.contains("needed [96"), "{message}");
    let message = with_config("/decoder/num_hidden_layers", json!(3));
    assert!(message.contains("missing"), "{message}");
    assert!(message.contains("layers.2."), "{message}");
}

#[test]
fn what_is_not_implemented_is_refused_by_name() {
    for (pointer, value, expected) in [
        ("/model_type", json!("musicgen_melody"), "musicgen_melody"),
        ("/decoder/audio_channels", json!(2), "stereo"),
        ("/decoder/activation_function", json!("relu"), "relu"),
        ("/decoder/scale_embedding", json!(true), "scale_embedding"),
        ("/decoder/pad_token_id", json!(0), "pad_token_id"),
        (
            "/text_encoder/feed_forward_proj",
            json!("gated-gelu"),
            "gated-gelu",
        ),
        (
            "/audio_encoder/use_causal_conv",
            json!(true),
            "use_causal_conv",
        ),
        (
            "/audio_encoder/norm_type",
            json!("time_group_norm"),
            "time_group_norm",
        ),
        ("/audio_encoder/pad_mode", json!("constant"), "pad_mode"),
        (
            "/audio_encoder/use_conv_shortcut",
            json!(true),
            "use_conv_shortcut",
        ),
        ("/audio_encoder/codebook_size", json!(63), "codebook_size"),
        (
            "/decoder/num_attention_heads",
            json!(16),
            "heads of 2 channels",
        ),
        (
            "/decoder/max_position_embeddings",
            json!(1 << 20),
            "max_position_embeddings",
        ),
    ] {
        let message = with_config(pointer, value);
        assert!(message.contains(expected), "{pointer}: {message}");
        assert!(
            message.contains("only") || message.contains("not implemented"),
            "{message}"
        );
    }
}

/// A configuration is a stranger's: no size of it is believed that could not be a model's.
#[test]
fn impossible_sizes_are_refused() {
    for (pointer, value) in [
        ("/decoder/num_hidden_layers", json!(u32::MAX)),
        ("/decoder/hidden_size", json!(0)),
        ("/decoder/hidden_size", json!(u64::MAX)),
        ("/decoder/num_attention_heads", json!(3)),
        ("/decoder/num_codebooks", json!(0)),
        ("/decoder/vocab_size", json!(-1)),
        ("/text_encoder/relative_attention_num_buckets", json!(2)),
        ("/text_encoder/num_layers", json!(1_000_000)),
        ("/text_encoder/layer_norm_epsilon", json!(7)),
        ("/audio_encoder/upsampling_ratios", json!([])),
        ("/audio_encoder/upsampling_ratios", json!([0, 5])),
        ("/audio_encoder/upsampling_ratios", json!([64, 64, 64])),
        ("/audio_encoder/compress", json!(0)),
        ("/audio_encoder/sampling_rate", json!("32 kHz")),
    ] {
        let message = with_config(pointer, value);
        assert!(message.contains("config.json"), "{pointer}: {message}");
    }
}

#[test]
fn a_missing_shard_and_a_missing_tensor_are_named() {
    let folder = copy(SHARDED);
    let shard = "model-00002-of-00003.safetensors";
    fs::remove_file(folder.path().join(shard)).unwrap();
    let message = load(folder.path()).unwrap_err();
    assert!(
        message.contains(shard) && message.contains("missing"),
        "{message}"
    );
    let half = "audio_encoder.decoder.layers.0.conv.weight_v";
    let folder = renamed(|name| (name != half).then(|| name.to_owned()));
    let message = load(folder.path()).unwrap_err();
    assert!(message.contains(half), "{message}");
}

#[test]
fn weights_that_are_no_numbers_are_refused_when_read() {
    let folder = copy(DEMO);
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let (norm, gain) = (
        "decoder.model.decoder.layer_norm.weight",
        "audio_encoder.decoder.layers.0.conv.weight_v",
    );
    let nan = vec![0xff; tensors.tensor(norm).unwrap().data().len()];
    let zeros = vec![0; tensors.tensor(gain).unwrap().data().len()];
    let spoiled = tensors.iter().map(|(name, view)| {
        let data: &[u8] = match name {
            _ if name == norm => &nan,
            _ if name == gain => &zeros,
            _ => view.data(),
        };
        let view = TensorView::new(view.dtype(), view.shape().to_vec(), data).unwrap();
        (name.to_owned(), view)
    });
    let spoiled: HashMap<String, TensorView> = spoiled.collect();
    serialize_to_file(spoiled, None, &path).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let weights = MusicgenWeights::load(&checkpoint).unwrap();
    let message = weights.get(norm).unwrap_err().to_string();
    assert!(message.contains("NaN"), "{message}");
    let message = weights
        .get("audio_encoder.decoder.layers.0.conv.weight")
        .unwrap_err()
        .to_string();
    assert!(message.contains("all zeros"), "{message}");
}

#[test]
fn inspect_says_what_it_is_and_whether_it_is_whole() {
    let whole = inspect_report(&Checkpoint::open(&original(DEMO)).unwrap(), &[]);
    assert!(
        whole.contains("decoder 2 x 32") && whole.contains("usable        yes"),
        "{whole}"
    );
    let head = "decoder.lm_heads.1.weight";
    let folder = renamed(|name| {
        let other = if name == head {
            "decoder.extra.weight"
        } else {
            name
        };
        Some(other.to_owned())
    });
    let broken = inspect_report(&Checkpoint::open(folder.path()).unwrap(), &[]);
    for expected in [
        "usable        no",
        "missing:",
        head,
        "left over:",
        "decoder.extra.weight",
    ] {
        assert!(broken.contains(expected), "{expected}\n{broken}");
    }
    let folder = copy(DEMO);
    fs::remove_file(folder.path().join("config.json")).unwrap();
    let without = inspect_report(&Checkpoint::open(folder.path()).unwrap(), &[]);
    assert!(without.contains("no config.json"), "{without}");
}

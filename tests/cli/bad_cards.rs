//! Cards that are wrong, or that say something else than their files: exit code 2 for the card, 1 for the files.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Call, card, card_with, names_below, repository};

const TOKENIZER: &str = "assets/demo/tokenizer.json";
const CHECKPOINT: &str = "assets/demo/630k-audioset-best.pt";

/// A models folder with one card, `mine`.
fn folder_with(card: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mine.yaml"), card).unwrap();
    folder
}

/// No graph, no half of one.
fn no_graphs(folder: &Path) {
    let names = names_below(folder);
    assert!(
        !names
            .iter()
            .any(|n| n.ends_with(".onnx") || n.contains(".part")),
        "{names:?}"
    );
}

fn export_fails(card: &str, code: i32, words: &[&str]) {
    let folder = folder_with(card);
    Call::new("export")
        .arg("mine")
        .option("--models", folder.path())
        .fails(code, words);
    no_graphs(folder.path());
}

#[test]
fn fusion_that_the_checkpoint_does_not_have() {
    let text = card(&repository(CHECKPOINT), "architecture: { fusion: true }");
    export_fails(
        &text,
        1,
        &[
            "card mine",
            "630k-audioset-best.pt",
            "write architecture: { fusion: false } into the card",
            "26 tensors are missing",
            "audio_branch.patch_embed.mel_conv2d.weight",
        ],
    );
}

#[test]
fn another_size_of_the_audio_tower() {
    let text = card(
        &repository(CHECKPOINT),
        "architecture: { audio: htsat-tiny }",
    );
    export_fails(
        &text,
        1,
        &["card mine", "630k-audioset-best.pt", "htsat-tiny"],
    );
}

#[test]
fn another_sha256_than_the_file_has() {
    let path = repository(CHECKPOINT);
    let pinned = "0".repeat(64);
    let text = format!(
        "kind: clap\nsource: {{ path: {:?}, sha256: {pinned} }}\ntokenizer: {{ path: {:?} }}\nlicence: cc0-1.0\n",
        path,
        repository(TOKENIZER)
    );
    export_fails(
        &text,
        1,
        &[
            "card mine",
            "630k-audioset-best.pt",
            &pinned,
            "correct the card",
        ],
    );
    let text = text.replace(&format!("sha256: {pinned}"), "bytes: 12");
    export_fails(&text, 1, &["card mine", "803988 bytes", "says 12"]);
}

#[test]
fn a_checkpoint_that_is_not_there() {
    let text = card(&repository("assets/demo/none.pt"), "");
    export_fails(&text, 1, &["card mine", "none.pt does not exist", "`path`"]);
}

#[test]
fn a_key_that_no_card_has() {
    let text = card(&repository(CHECKPOINT), "fusion_shrnk: plain");
    export_fails(
        &text,
        2,
        &["mine.yaml:6", "fusion_shrnk", "'fusion_shrink'"],
    );
}

#[test]
fn yaml_that_is_none() {
    export_fails("kind: [clap\n", 2, &["mine.yaml:"]);
}

#[test]
fn a_musicgen_card_where_a_clap_card_is_needed() {
    let text = card(&repository(CHECKPOINT), "").replace("kind: clap", "kind: musicgen");
    export_fails(
        &text,
        1,
        &["mine", "MusicGen", "text_encoder", "harness inspect"],
    );
    let folder = folder_with(&text);
    let prompts = folder.path().join("prompts.txt");
    fs::write(&prompts, "sweet music\n").unwrap();
    Call::new("embed")
        .option("--model", "mine")
        .option("--models", folder.path())
        .option("--text", &prompts)
        .option("--out", folder.path().join("out.csv"))
        .fails(2, &["mine", "kind musicgen", "kind clap"]);
}

#[test]
fn a_name_that_is_nearly_a_card() {
    let folder = folder_with(&card(&repository(CHECKPOINT), ""));
    Call::new("export")
        .arg("mien")
        .option("--models", folder.path())
        .fails(2, &["no card 'mien'", "did you mean 'mine'?"]);
    let empty = TempDir::new().unwrap();
    Call::new("export")
        .arg("mine")
        .option("--models", empty.path())
        .fails(2, &["no card 'mine'", "one of these: 630k-audioset-best, "]);
}

/// `embed` of a text with a card whose tokenizer is `tokenizer`.
fn embed_with_tokenizer(folder: &Path, tokenizer: &Path, text: &str) -> (Call, PathBuf) {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let card = write(
        "mine.yaml",
        &card_with(&repository(CHECKPOINT), tokenizer, ""),
    );
    let texts = write("texts.txt", text);
    let out = folder.join("out.csv");
    let call = Call::new("embed")
        .option("--models", folder)
        .option("--model", card)
        .option("--text", texts)
        .option("--out", &out);
    (call, out)
}

#[test]
fn a_tokenizer_that_is_none() {
    let folder = TempDir::new().unwrap();
    let tokenizer = folder.path().join("tokenizer.json");
    for text in ["{\"model_type\": \"roberta\"}", "not even JSON", ""] {
        fs::write(&tokenizer, text).unwrap();
        let (call, out) = embed_with_tokenizer(folder.path(), &tokenizer, "sweet music\n");
        call.fails(1, &["tokenizer.json", "RoBERTa's tokenizer.json"]);
        assert!(!out.exists());
    }
}

#[test]
fn a_tokenizer_of_a_larger_model() {
    let folder = TempDir::new().unwrap();
    let mut tokenizer: serde_json::Value =
        serde_json::from_slice(&fs::read(repository(TOKENIZER)).unwrap()).unwrap();
    let added = serde_json::json!({
        "id": 400, "content": "<umami>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true
    });
    tokenizer["added_tokens"]
        .as_array_mut()
        .unwrap()
        .push(added);
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, tokenizer.to_string()).unwrap();
    let (call, out) = embed_with_tokenizer(folder.path(), &path, "<umami> music\n");
    call.fails(
        1,
        &["tokenizer.json", "does not belong", "token 400", "400 rows"],
    );
    assert!(!out.exists());
    // What the checkpoint has rows for still works.
    let (call, out) = embed_with_tokenizer(folder.path(), &path, "sweet music\n");
    call.ok();
    assert!(out.exists());
}

#[test]
fn a_tokenizer_that_puts_nothing_around_a_text() {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(repository(TOKENIZER)).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&text).unwrap();
    tokenizer["post_processor"] = serde_json::Value::Null;
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, tokenizer.to_string()).unwrap();
    let (call, out) = embed_with_tokenizer(folder.path(), &path, "sweet music\n");
    call.fails(1, &["tokenizer.json", "<s> and </s>"]);
    assert!(!out.exists());
}

/// The epsilon in `config.json` changes every number, so it belongs to what the graphs are kept by.
#[test]
fn a_config_beside_a_single_file_counts() {
    let folder = TempDir::new().unwrap();
    for name in ["model.safetensors", "config.json"] {
        let from = repository("tests/data/clap_hf_unfused").join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    let weights = folder.path().join("model.safetensors");
    let card = card_with(&weights, &repository(TOKENIZER), "");
    fs::write(folder.path().join("mine.yaml"), card).unwrap();
    let export = || {
        let call = Call::new("export").option("--models", folder.path());
        call.arg("mine").ok().stdout
    };
    let before = export();
    let config = folder.path().join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("1e-12"));
    fs::write(&config, text.replace("1e-12", "1e-3")).unwrap();
    assert_ne!(before, export());
}

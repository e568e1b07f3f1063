use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn bundled(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo");
    serde_json::from_slice(&fs::read(path.join(name)).unwrap()).unwrap()
}

fn roberta() -> Value {
    bundled("tokenizer.json")
}

fn t5() -> Value {
    bundled("musicgen/tokenizer.json")
}

/// A file with this text, opened; what it then makes of some texts.
fn opened(text: &[u8]) -> Result<Vec<Vec<u32>>, String> {
    made(text).map_err(|words| words.to_string())
}

fn made(text: &[u8]) -> Result<Vec<Vec<u32>>, Words> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, text).unwrap();
    let tokenizer = Tokenizer::open(&path, None)?;
    let texts = ["", "sweet music", "ﷺ  naïve İ 🎵", &"a ".repeat(500)];
    texts.iter().map(|text| tokenizer.encode(text)).collect()
}

fn refused(tokenizer: &Value, says: &str) {
    let error = opened(&serde_json::to_vec(tokenizer).unwrap()).unwrap_err();
    assert!(error.contains(says), "should say {says:?}: {error}");
}

fn changed(mut tokenizer: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    tokenizer.pointer_mut(parent).unwrap()[key] = value;
    tokenizer
}

#[test]
fn both_tokenizers_give_what_the_library_gives() {
    for tokenizer in [roberta(), t5()] {
        let text = serde_json::to_string(&tokenizer).unwrap();
        let plain: tokenizers::Tokenizer = text.parse().unwrap();
        for (text, ids) in ["", "sweet music", "ﷺ  naïve İ 🎵"]
            .iter()
            .zip(opened(text.as_bytes()).unwrap())
        {
            assert_eq!(ids, plain.encode(*text, true).unwrap().get_ids());
        }
    }
}

/// RoBERTa's own file is of the years before models had a type.
#[test]
fn a_model_without_a_type_is_read() {
    let mut old = roberta();
    old["model"].as_object_mut().unwrap().remove("type");
    let text = |tokenizer: &Value| serde_json::to_vec(tokenizer).unwrap();
    assert_eq!(opened(&text(&old)), opened(&text(&roberta())));
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_an_error() {
    assert!(
        opened(b"{\"decoder\":\"")
            .unwrap_err()
            .contains("not valid JSON")
    );
    for tokenizer in [roberta(), t5()] {
        let whole = serde_json::to_vec(&tokenizer).unwrap();
        for cut in (0..whole.len()).step_by(whole.len() / 150) {
            assert!(opened(&whole[..cut]).is_err(), "{cut}");
        }
    }
}

#[test]
fn what_is_not_used_is_not_read() {
    for (key, value) in [
        (
            "decoder",
            json!({"type": "Replace", "pattern": {"Regex": "("}, "content": ""}),
        ),
        (
            "padding",
            json!({"strategy": {"Fixed": 1_000_000_000_000u64}}),
        ),
        (
            "truncation",
            json!({"max_length": 1, "stride": 7, "strategy": "none"}),
        ),
    ] {
        let odd = changed(roberta(), &format!("/{key}"), value);
        assert_eq!(
            opened(&serde_json::to_vec(&odd).unwrap()),
            opened(&serde_json::to_vec(&roberta()).unwrap()),
            "{key}"
        );
    }
}

#[test]
fn too_deep_nesting_and_keys_that_stand_twice_are_refused() {
    for levels in [20, 200, 100_000] {
        let deep = format!(
            "{{\"normalizer\":{}{}}}",
            "[".repeat(levels),
            "]".repeat(levels)
        );
        let error = opened(deep.as_bytes()).unwrap_err();
        assert!(error.contains("more than 16 levels"), "{error}");
    }
    let twice = br#"{"normalizer": {"type": "Precompiled"}, "normalizer": null}"#;
    let error = opened(twice).unwrap_err();
    assert!(error.contains("`normalizer` stands twice"), "{error}");
    for other in ["", "[]", "7", "null", "{}", "\u{feff}{}", "{} {}"] {
        assert!(opened(other.as_bytes()).is_err(), "{other}");
    }
}

/// `dropout: 0.5` gave three embeddings in three runs.
#[test]
fn what_is_not_deterministic_is_refused() {
    for rate in [json!(0.5), json!(1), json!(1e-30), json!("0.5")] {
        refused(
            &changed(roberta(), "/model/dropout", rate),
            "draws other tokens each time",
        );
    }
    let none = changed(roberta(), "/model/dropout", json!(0.0));
    assert!(opened(&serde_json::to_vec(&none).unwrap()).is_ok());
}

#[test]
fn what_the_library_panics_on_is_an_error() {
    let prefix = changed(
        roberta(),
        "/model/continuing_subword_prefix",
        json!("x".repeat(1000)),
    );
    refused(&prefix, "");
    let merges = changed(roberta(), "/model/merges", json!([["no such", "token"]]));
    refused(&merges, "");
    let empty = json!({"type": "Replace", "pattern": {"String": ""}, "content": "x"});
    refused(
        &changed(roberta(), "/normalizer", empty.clone()),
        "a pattern of it is empty",
    );
    refused(
        &changed(
            roberta(),
            "/pre_tokenizer",
            json!({"type": "Split", "pattern": {"String": ""}, "behavior": "Removed", "invert": false}),
        ),
        "a pattern of it is empty",
    );
    refused(
        &changed(
            roberta(),
            "/pre_tokenizer",
            json!({"type": "FixedLength", "length": 0}),
        ),
        "pieces of length 0",
    );
    let template = changed(t5(), "/post_processor/special_tokens", json!({}));
    refused(
        &template,
        "names the special token `</s>`, which it does not describe",
    );
    let lame = changed(
        t5(),
        "/post_processor/special_tokens",
        json!({"</s>": {"id": "</s>", "ids": [1, 2], "tokens": ["</s>"]}}),
    );
    refused(&lame, "not as many ids as tokens");
    refused(
        &changed(roberta(), "/normalizer", json!({"type": "Melt"})),
        "type `Melt`",
    );
    // Whatever the library makes of it, it is no panic.
    for unk in [json!(9_999), json!(u64::MAX), json!(-1)] {
        let _ = opened(&serde_json::to_vec(&changed(t5(), "/model/unk_id", unk)).unwrap());
    }
}

fn charsmap(bytes: &[u8]) -> Value {
    use base64::Engine;
    let coded = base64::prelude::BASE64_STANDARD.encode(bytes);
    json!({"type": "Precompiled", "precompiled_charsmap": coded})
}

#[test]
fn tables_of_replacements_hold_what_they_claim() {
    // 8.6 GB of trie were asked for.
    let huge = [&0xffff_fffcu32.to_le_bytes()[..], b"abc\0"].concat();
    refused(
        &changed(t5(), "/normalizer", charsmap(&huge)),
        "claims 4294967292 bytes of trie and holds 4",
    );
    refused(&changed(t5(), "/normalizer", charsmap(b"ab")), "is cut off");
    refused(
        &changed(
            t5(),
            "/normalizer",
            json!({"type": "Precompiled", "precompiled_charsmap": "%%%"}),
        ),
        "is no base64",
    );
    // A trie whose steps lead out of it: found out when a text is read, by a panic in the library.
    let astray = [
        &4u32.to_le_bytes()[..],
        &0xffff_fc00u32.to_le_bytes(),
        b"x\0",
    ]
    .concat();
    refused(&changed(t5(), "/normalizer", charsmap(&astray)), NO_SENSE);
}

#[test]
fn growth_without_limit_is_refused() {
    let double = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
    let some = json!({"type": "Sequence", "normalizers": vec![&double; 8]});
    refused(
        &changed(
            roberta(),
            "/normalizer",
            json!({"type": "Sequence", "normalizers": vec![&double; 40]}),
        ),
        "has 40 parts",
    );
    refused(
        &changed(
            roberta(),
            "/normalizer",
            json!({"type": "Sequence", "normalizers": [&some, &some, &some, &some]}),
        ),
        "may make 8589934592 bytes of one",
    );
    let long = json!({"type": "Replace", "pattern": {"Regex": "a"}, "content": "b".repeat(5_000)});
    refused(
        &changed(roberta(), "/normalizer", long),
        "may make 10002 bytes of one",
    );
    // What is taken is held to a length of text.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokenizer.json");
    fs::write(
        &path,
        serde_json::to_vec(&changed(roberta(), "/normalizer", some)).unwrap(),
    )
    .unwrap();
    let tokenizer = Tokenizer::open(&path, Some(77)).unwrap();
    assert_eq!(tokenizer.encode("aaa").unwrap().len(), 77);
    let error = tokenizer
        .encode(&"a".repeat(1 << 20))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1048576 bytes") && error.contains("make it shorter"),
        "{error}"
    );
    let repeats = json!({"type": "Replace", "pattern": {"Regex": "(?=(a{1000}){1000}){1000}"}, "content": ""});
    refused(
        &changed(roberta(), "/normalizer", repeats),
        "repeats without measure",
    );
    let tokens: Vec<Value> = (0..30_000)
        .map(|i| json!({"id": i, "content": format!("<{i}>"), "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}))
        .collect();
    refused(
        &changed(roberta(), "/added_tokens", json!(tokens)),
        "adds 30000 tokens",
    );
}

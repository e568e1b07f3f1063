//! safetensors files and model folders.

use std::path::Path;

use checkpoint::{Checkpoint, Format};

use crate::make::{Listed, safetensors, write};

fn one(name: &str, shape: &[usize]) -> Listed {
    (name.to_owned(), "f32".to_owned(), shape.to_vec())
}

fn numbered(_: &str, n: usize) -> Vec<f32> {
    (0..n).map(|i| i as f32).collect()
}

fn message(path: &Path) -> String {
    Checkpoint::open(path).unwrap_err().to_string()
}

#[test]
fn a_single_file_is_read_with_the_config_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    safetensors(
        &path,
        &[one("a", &[2, 2]), one("module.b", &[3])],
        Some(&numbered),
    );
    write(folder.path(), "config.json", br#"{"model_type": "clap"}"#);
    for opened in [path.as_path(), folder.path()] {
        let checkpoint = Checkpoint::open(opened).unwrap();
        assert_eq!(checkpoint.format(), Format::Safetensors);
        assert_eq!(checkpoint.path(), opened);
        assert_eq!(checkpoint.f32("a").unwrap().data, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(checkpoint.f32("b").unwrap().shape, [3]);
        assert_eq!(checkpoint.config().unwrap()["model_type"], "clap");
        assert_eq!(checkpoint.files().len(), 2);
    }
    write(folder.path(), "config.json", br#"{"model_type": "#);
    assert!(message(folder.path()).contains("config.json: it is not valid JSON"));
}

#[test]
fn shards_are_one_checkpoint_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("model-1.safetensors");
    let second = folder.path().join("model-2.safetensors");
    safetensors(&first, &[one("a", &[2])], Some(&numbered));
    safetensors(
        &second,
        &[one("b", &[3]), one("stray", &[1])],
        Some(&numbered),
    );
    let index = br#"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#;
    write(folder.path(), "model.safetensors.index.json", index);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.format(), Format::ShardedSafetensors);
    let names: Vec<_> = checkpoint.tensors().keys().collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(checkpoint.f32("b").unwrap().data, [0.0, 1.0, 2.0]);
    assert_eq!(checkpoint.files().len(), 3);

    std::fs::remove_file(&second).unwrap();
    let missing = message(folder.path());
    assert!(
        missing.contains("model-2.safetensors: the shard is missing"),
        "{missing}"
    );
    safetensors(&second, &[one("c", &[3])], Some(&numbered));
    assert!(message(folder.path()).contains("`b`"));
}

#[test]
fn no_path_leaves_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let index = br#"{"weight_map": {"a": "../secret.safetensors"}}"#;
    write(folder.path(), "model.safetensors.index.json", index);
    assert!(message(folder.path()).contains("not a file name in this folder"));
}

#[test]
fn an_empty_folder_says_what_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    assert!(message(folder.path()).contains("none of model.safetensors"));
}

#[test]
fn headers_that_lie_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = |claimed: u64, header: &str, data: usize| {
        let mut bytes = claimed.to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        message(&write(folder.path(), "x.safetensors", &bytes))
    };
    let header = |shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let whole = |header: String, data| of(header.len() as u64, &header, data);
    assert!(of(u64::MAX, "{}", 0).contains("header claims"));
    assert!(
        whole(header("[2]", "[0,8]"), 7).contains("describes 8 bytes of tensors, the file holds 7")
    );
    assert!(whole(header("[2]", "[0,8]"), 9).contains("holds 9"));
    assert!(whole(header("[3]", "[0,8]"), 8).contains("not valid"));
    assert!(whole(header("[4611686018427387904,4]", "[0,8]"), 8).contains("not valid"));
    assert!(whole(header("[-1]", "[0,8]"), 8).contains("not valid"));
    assert!(whole(header("[2]", "[8,16]"), 16).contains("not valid"));
    let eight_bits = r#"{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}"#;
    assert!(whole(eight_bits.into(), 2).contains("`a`"));
    assert!(whole("{}}".into(), 0).contains("not valid"));
}

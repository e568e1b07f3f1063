//! Without ONNX Runtime and without the network.

use std::fs;

use tempfile::TempDir;

use crate::support::{Call, Models, UNFUSED, card, names_below, repository};

#[test]
fn offline_with_an_empty_cache_says_how_to_install() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("texts.txt"), "sweet music\n").unwrap();
    Call::embed(&models, UNFUSED)
        .option("--text", at("texts.txt"))
        .option("--out", at("out.csv"))
        .arg("--offline")
        .env("HARNESS_CACHE", at("cache"))
        .without_env("ORT_DYLIB_PATH")
        .fails(1, &["ONNX Runtime", "`harness setup`", "ORT_DYLIB_PATH"]);
    assert!(!at("out.csv").exists());
}

#[test]
fn a_library_that_is_none() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("texts.txt"), "sweet music\n").unwrap();
    let with = |library: &str| {
        Call::embed(&models, UNFUSED)
            .option("--text", at("texts.txt"))
            .option("--out", at("out.csv"))
            .env("ORT_DYLIB_PATH", at(library))
    };
    with("gone.so").fails(1, &["ORT_DYLIB_PATH", "gone.so", "not a file"]);
    fs::write(at("text.so"), "no library").unwrap();
    with("text.so").fails(1, &["text.so", "unset ORT_DYLIB_PATH"]);
    assert!(!at("out.csv").exists());
}

/// A shared library of the C source, made with the compiler that Rust links with.
#[cfg(unix)]
fn compiled(folder: &std::path::Path, source: &str) -> std::path::PathBuf {
    let (c, library) = (folder.join("made.c"), folder.join("libmade.so"));
    fs::write(&c, source).unwrap();
    let made = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &c])
        .status();
    assert!(made.unwrap().success());
    library
}

#[cfg(unix)]
#[test]
fn a_library_that_is_too_old_or_another() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("texts.txt"), "sweet music\n").unwrap();
    let with = |source: &str| {
        Call::embed(&models, UNFUSED)
            .option("--text", at("texts.txt"))
            .option("--out", at("out.csv"))
            .env("ORT_DYLIB_PATH", compiled(folder.path(), source))
    };
    with(
        "static const void *api(unsigned v) { return 0; }\n\
         static const char *version(void) { return \"1.17.3\"; }\n\
         static const struct { const void *(*a)(unsigned); const char *(*v)(void); } base = { api, version };\n\
         const void *OrtGetApiBase(void) { return &base; }\n",
    )
    .fails(
        1,
        &[
            "libmade.so is ONNX Runtime 1.17.3",
            "too old",
            "1.24 or newer",
            "unset ORT_DYLIB_PATH",
        ],
    );
    with("int answer(void) { return 42; }\n")
        .fails(1, &["libmade.so", "OrtGetApiBase", "unset ORT_DYLIB_PATH"]);
    assert!(!at("out.csv").exists());
}

#[test]
fn a_cache_that_cannot_be_written_names_the_variable() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("texts.txt"), "sweet music\n").unwrap();
    fs::write(at("file"), "").unwrap();
    Call::embed(&models, UNFUSED)
        .option("--text", at("texts.txt"))
        .option("--out", at("out.csv"))
        .env("HARNESS_CACHE", at("file"))
        .without_env("ORT_DYLIB_PATH")
        .fails(1, &["file", "HARNESS_CACHE"]);
    assert!(!at("out.csv").exists());
}

#[test]
fn offline_with_a_model_that_was_never_fetched_names_the_file() {
    let folder = TempDir::new().unwrap();
    let text = card(&repository("unused"), "").replace(
        &format!("{{ path: {:?} }}", repository("unused")),
        "{ hub: nobody/nothing, file: weights.pt }",
    );
    assert!(text.contains("nobody/nothing"));
    fs::write(folder.path().join("mine.yaml"), text).unwrap();
    Call::new("export")
        .arg("mine")
        .option("--models", folder.path())
        .arg("--offline")
        .env("HF_HOME", folder.path().join("hub"))
        .without_env("HF_HUB_CACHE")
        .fails(
            1,
            &["card mine", "nobody/nothing", "weights.pt", "--offline"],
        );
    let names = names_below(folder.path());
    assert!(!names.iter().any(|n| n.ends_with(".onnx")), "{names:?}");
}

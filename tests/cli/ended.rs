//! A library that ends the program: it is told with the provider, the signal and a way out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A library whose first function ends the process.
fn ending_library(folder: &Path) -> PathBuf {
    let source = folder.join("ending.rs");
    let text = "#[unsafe(no_mangle)] pub extern \"C\" fn OrtGetApiBase() -> *const u8 {\n\
                eprintln!(\"the driver has no such thing\"); std::process::abort() }\n";
    fs::write(&source, text).unwrap();
    let library = folder.join("libonnxruntime.so");
    let rustc = Command::new("rustc")
        .args(["--edition", "2024", "--crate-type", "cdylib", "-o"])
        .args([&library, &source])
        .output()
        .unwrap();
    assert!(rustc.status.success(), "{rustc:?}");
    library
}

fn harness(folder: &Path, library: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .current_dir(folder)
        .env("ORT_DYLIB_PATH", library)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env_remove("HARNESS_CACHE")
        .output()
        .unwrap()
}

#[test]
fn a_provider_that_ends_the_program_is_told_in_one_line() {
    let folder = TempDir::new().unwrap();
    let library = ending_library(folder.path());
    let wav = folder.path().join("a.wav");
    clap_audio::write_wav(&wav, &[0.1; 4_800], 48_000).unwrap();
    for arguments in [
        ["providers", "--check", "--ep", "openvino"].as_slice(),
        &["run", "weights", "--demo", "--ep", "openvino", "--out", "r"],
    ] {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|&argument| match argument {
                "weights" => {
                    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
                    root.join("experiments/weights.yaml").display().to_string()
                }
                other => other.to_owned(),
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let out = harness(folder.path(), &library, &arguments);
        assert_eq!(out.status.code(), Some(1), "{out:?}");
        let said = String::from_utf8(out.stderr).unwrap();
        let errors: Vec<&str> = said.lines().filter(|l| l.starts_with("error")).collect();
        assert_eq!(
            errors,
            [
                "error: the execution provider openvino ends the program that starts it (SIGABRT, signal 6), and the last \
                 that it said is: the driver has no such thing; its driver or its library is at fault: install another \
                 version of the driver, or run with --ep cpu"
            ],
            "{said}"
        );
        assert!(!folder.path().join("r").exists());
    }
    // It did not start, so it is tried anew next time.
    assert!(!folder.path().join("cache/harness/started").exists());
}

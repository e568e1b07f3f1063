//! Exports: the same bytes from the same checkpoint, one of several at once, and what a killed one leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use crate::support::{Call, FUSED, Models, UNFUSED, card, names_below, repository};

const FILES: [&str; 4] = [
    "audio.onnx",
    "audio.onnx.data",
    "text.onnx",
    "text.onnx.data",
];

fn models_of(checkpoint: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let text = card(&repository(checkpoint), "");
    fs::write(folder.path().join("mine.yaml"), text).unwrap();
    folder
}

/// Export the card `mine`; gives the folder of its graphs.
fn export(models: &Path) -> PathBuf {
    let call = Call::new("export").arg("mine").option("--models", models);
    PathBuf::from(call.ok().stdout.trim())
}

#[test]
fn a_checkpoint_gives_the_same_bytes_wherever_it_is_exported() {
    for checkpoint in [
        "assets/demo/630k-audioset-fusion-best.pt",
        "tests/data/clap_hf_unfused",
    ] {
        let (one, two) = (models_of(checkpoint), models_of(checkpoint));
        let (a, b) = (export(one.path()), export(two.path()));
        assert_eq!(a.file_name(), b.file_name());
        for file in FILES {
            let same = fs::read(a.join(file)).unwrap() == fs::read(b.join(file)).unwrap();
            assert!(same, "{checkpoint}: {file}");
        }
    }
}

#[test]
fn several_at_once_make_one_export() {
    let models = models_of("assets/demo/music_audioset.pt");
    let folders: Vec<PathBuf> = thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| export(models.path())))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(folders.iter().all(|folder| *folder == folders[0]));
    let mut expected = vec![
        ".lock".to_owned(),
        folders[0].file_name().unwrap().to_str().unwrap().to_owned(),
        "export.json".to_owned(),
    ];
    expected.extend(FILES.map(str::to_owned));
    expected.sort();
    assert_eq!(names_below(&models.path().join("graphs")), expected);
}

#[test]
fn a_second_export_takes_what_is_there_and_sweeps_up_after_a_killed_one() {
    let models = models_of("assets/demo/630k-audioset-best.pt");
    let killed = models.path().join("graphs/.part-harness-abc");
    fs::create_dir_all(&killed).unwrap();
    fs::write(killed.join("audio.onnx.data"), [0; 100]).unwrap();
    let folder = export(models.path());
    assert!(!killed.exists());
    let written = || {
        fs::metadata(folder.join("audio.onnx"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let first = written();
    assert_eq!(export(models.path()), folder);
    assert_eq!(written(), first);
}

#[test]
fn a_copy_has_the_graphs_with_their_weights() {
    let models = Models::shared();
    let out = TempDir::new().unwrap();
    let said = Call::new("export")
        .arg(FUSED)
        .arg(UNFUSED)
        .option("--models", models.path())
        .option("--out", out.path())
        .ok()
        .stdout;
    for name in [FUSED, UNFUSED] {
        let folder = out.path().join(name);
        assert!(said.contains(folder.to_str().unwrap()), "{said}");
        assert_eq!(names_below(&folder), FILES);
    }
}

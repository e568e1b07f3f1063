//! A disk without room: the folder is named and nothing half-written stays.
//!
//! Needs the right to mount a file system of 1 MB; without it the tests say that they were skipped.
#![cfg(target_os = "linux")]

use std::fs;

use tempfile::TempDir;

use crate::small_disk::SmallDisk;
use crate::support::{Call, Models, UNFUSED, card, demo_pieces, names_below, repository};

#[test]
fn an_export_that_does_not_fit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("disk");
    let Some(_disk) = SmallDisk::mount(&path, 1) else {
        return;
    };
    let text = card(&repository("assets/demo/630k-audioset-best.pt"), "");
    fs::write(path.join("mine.yaml"), text).unwrap();
    Call::new("export")
        .arg("mine")
        .option("--models", &path)
        .fails(1, &["card mine", path.to_str().unwrap(), "No space left"]);
    assert_eq!(names_below(&path), [".lock", "graphs", "mine.yaml"]);
}

#[test]
fn embeddings_that_do_not_fit() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("disk");
    let Some(disk) = SmallDisk::mount(&path, 1) else {
        return;
    };
    disk.fill(0);
    let out = path.join("out.csv");
    Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces())
        .option("--out", &out)
        .fails(1, &[out.to_str().unwrap(), "No space left"]);
    assert_eq!(names_below(&path), ["filler"]);
}

#[test]
fn a_copy_of_the_graphs_that_does_not_fit() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("disk");
    let Some(_disk) = SmallDisk::mount(&path, 1) else {
        return;
    };
    Call::new("export")
        .arg(UNFUSED)
        .option("--models", models.path())
        .option("--out", &path)
        .fails(1, &[path.to_str().unwrap(), "No space left"]);
    let names = names_below(&path);
    assert!(
        !names
            .iter()
            .any(|n| n.contains("part") || n.ends_with(".onnx")),
        "{names:?}"
    );
}

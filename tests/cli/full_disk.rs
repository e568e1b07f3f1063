//! A disk without room: the folder is named and nothing half-written stays.
//!
//! Needs the right to mount a file system of 1 MB; without it the tests say that they were skipped.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Call, Models, UNFUSED, card, demo_pieces, names_below, repository};

/// A file system of 1 MB.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                println!("skipped: no permission to mount a tmpfs");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fill it to the last byte.
    fn fill(&self) {
        let mut file = File::create(self.path().join("filler")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        assert!(file.write_all(&[1]).is_err());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still looks at it, the temporary folder can go.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn an_export_that_does_not_fit() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let text = card(&repository("assets/demo/630k-audioset-best.pt"), "");
    fs::write(disk.path().join("mine.yaml"), text).unwrap();
    Call::new("export")
        .arg("mine")
        .option("--models", disk.path())
        .fails(
            1,
            &["card mine", disk.path().to_str().unwrap(), "No space left"],
        );
    assert_eq!(names_below(disk.path()), [".lock", "graphs", "mine.yaml"]);
}

#[test]
fn embeddings_that_do_not_fit() {
    let models = Models::shared();
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    disk.fill();
    let out = disk.path().join("out.csv");
    Call::embed(&models, UNFUSED)
        .option("--audio", demo_pieces())
        .option("--out", &out)
        .fails(1, &[out.to_str().unwrap(), "No space left"]);
    assert_eq!(names_below(disk.path()), ["filler"]);
}

#[test]
fn a_copy_of_the_graphs_that_does_not_fit() {
    let models = Models::shared();
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    Call::new("export")
        .arg(UNFUSED)
        .option("--models", models.path())
        .option("--out", disk.path())
        .fails(1, &[disk.path().to_str().unwrap(), "No space left"]);
    let names = names_below(disk.path());
    assert!(
        !names
            .iter()
            .any(|n| n.contains("part") || n.ends_with(".onnx")),
        "{names:?}"
    );
}

//! Run folders with made-up files, and the program run beside them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lab::{Ran, ran};

pub const SCORES: &str = "id,prompt,audio_path,clap_score,taste,arm,front,middle,back,offset\n";
pub const TEXTS: &str = "text,embedding,kind,id,count\n";

/// A working folder with the run folders `a` and `b`.
pub struct Runs {
    root: TempDir,
}

impl Runs {
    /// Both with `rows` as their `scores.csv`, below its header, and the same manifest.
    pub fn with(a: &str, b: &str) -> Self {
        let runs = Self::empty();
        for (run, rows) in [("a", a), ("b", b)] {
            runs.write(&format!("{run}/scores.csv"), format!("{SCORES}{rows}"));
            runs.manifest(run, |_| {});
        }
        runs
    }

    pub fn empty() -> Self {
        let runs = Self {
            root: tempfile::tempdir().unwrap(),
        };
        for run in ["a", "b"] {
            fs::create_dir(runs.at(run)).unwrap();
        }
        runs
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.at(path), text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    /// The manifest of one run, changed.
    pub fn manifest(&self, run: &str, change: impl FnOnce(&mut Value)) {
        let mut manifest = json!({
            "format": 1, "experiment": "lab", "seed": 0, "crops": { "policy": "seeded" },
            "arms": [{ "name": "on", "checkpoint_sha256": "1".repeat(64) }],
            "runtime": { "provider": "cpu", "threads": 2 },
            "settings": { "name": "lab", "task": "clap_scores", "crops": "seeded" },
            "times": { "seconds": 1.5 },
        });
        change(&mut manifest);
        self.write(&format!("{run}/manifest.json"), manifest.to_string());
    }

    pub fn diff(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .args([&["diff", "a", "b"], args].concat())
            .current_dir(self.root.path())
            .stdin(Stdio::null());
        ran(&mut command)
    }

    /// `diff a b`, which must end so with all of `lines` on standard output.
    pub fn says(&self, args: &[&str], code: i32, lines: &[&str]) -> Ran {
        let ran = self.diff(args);
        assert_eq!(ran.code, Some(code), "{}\n{}", ran.stdout, ran.stderr);
        for line in lines {
            let found = ran.stdout.lines().any(|said| said.trim_end() == *line);
            assert!(found, "no line {line:?} in:\n{}", ran.stdout);
        }
        assert!(!ran.stdout.contains("NaN") && !ran.stdout.contains("inf"));
        ran
    }
}

/// A `.npy` file of version 1.0: 32-bit floats in C order.
pub fn npy(shape: (usize, usize), values: &[f32]) -> Vec<u8> {
    let (rows, columns) = shape;
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// A row of `scores.csv`.
pub fn row(id: &str, score: f64, taste: &str, arm: &str) -> String {
    format!("{id},p,{id}.wav,{score:.6},{taste},{arm},,,,\n")
}

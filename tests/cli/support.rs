//! One call of the program, temporary folders, and the CSVs that come back.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

/// Cards of the demo's and the tests' own checkpoints; every number of theirs is random but pinned.
pub const FUSED: &str = "fused";
/// The same checkpoint as [`FUSED`], its long clips shrunk as torchvision does it since 0.17.
pub const FUSED_ANTIALIAS: &str = "fused-antialias";
pub const UNFUSED: &str = "unfused";
/// Wider than the others.
pub const MUSIC: &str = "music";
pub const HF_FUSED: &str = "hf-fused";
pub const HF_UNFUSED: &str = "hf-unfused";

/// A path of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn demo_pieces() -> PathBuf {
    repository("tests/data/pieces")
}

/// The text of a card for a checkpoint of the repository; `more` are further lines.
pub fn card(checkpoint: &Path, more: &str) -> String {
    card_with(checkpoint, &repository("assets/demo/tokenizer.json"), more)
}

/// As [`card`], with a tokenizer. Paths are quoted as JSON, which is YAML.
pub fn card_with(checkpoint: &Path, tokenizer: &Path, more: &str) -> String {
    format!(
        "kind: clap\nsource: {{ path: {} }}\ntokenizer: {{ path: {} }}\nlicence: cc0-1.0\nrandom_weights: true\n{more}\n",
        quoted(checkpoint),
        quoted(tokenizer)
    )
}

fn quoted(path: &Path) -> String {
    serde_json::to_string(path.to_str().unwrap()).unwrap()
}

/// A models folder with a card for every checkpoint, all exported.
pub struct Models(TempDir);

impl Models {
    /// The one folder that all tests share; it goes with the last test that holds it.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Models>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(models) = shared.upgrade() {
            return models;
        }
        let models = Arc::new(Self::exported());
        *shared = Arc::downgrade(&models);
        models
    }

    fn exported() -> Self {
        let folder = TempDir::new().unwrap();
        let cards = [
            (
                FUSED,
                "assets/demo/630k-audioset-fusion-best.pt",
                "architecture: { fusion: true }",
            ),
            (
                FUSED_ANTIALIAS,
                "assets/demo/630k-audioset-fusion-best.pt",
                "fusion_shrink: antialias",
            ),
            (
                UNFUSED,
                "assets/demo/630k-audioset-best.pt",
                "architecture: { fusion: false }",
            ),
            (MUSIC, "assets/demo/music_audioset.pt", ""),
            (HF_FUSED, "tests/data/clap_hf_fused", ""),
            (HF_UNFUSED, "tests/data/clap_hf_unfused", ""),
        ];
        let mut export = Call::new("export").option("--models", folder.path());
        for (name, checkpoint, more) in cards {
            let path = folder.path().join(format!("{name}.yaml"));
            fs::write(path, card(&repository(checkpoint), more)).unwrap();
            export = export.arg(name);
        }
        export.ok();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A call of the program.
pub struct Call(Command);

impl Call {
    pub fn new(subcommand: &str) -> Self {
        Self::of(Path::new(env!("CARGO_BIN_EXE_harness")), subcommand)
    }

    /// Of the program at another place.
    pub fn of(program: &Path, subcommand: &str) -> Self {
        let mut command = Command::new(program);
        command.arg(subcommand);
        Self(command)
    }

    /// `harness embed` with a card of the shared folder.
    pub fn embed(models: &Models, card: &str) -> Self {
        Self::new("embed")
            .option("--models", models.path())
            .option("--model", card)
    }

    pub fn arg(mut self, value: impl AsRef<OsStr>) -> Self {
        self.0.arg(value);
        self
    }

    /// Arguments as one would type them, none with a space in it.
    pub fn args_of(mut self, text: &str) -> Self {
        self.0.args(text.split_whitespace());
        self
    }

    pub fn option(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.arg(name).arg(value)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    pub fn stdout(mut self, file: fs::File) -> Self {
        self.0.stdout(file);
        self
    }

    pub fn stderr(mut self, file: fs::File) -> Self {
        self.0.stderr(file);
        self
    }

    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    pub fn run(mut self) -> Outcome {
        let output = self.0.output().unwrap();
        let outcome = Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
        outcome
    }

    pub fn ok(self) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome
    }

    /// Fail with `code` and an error that has all of `words`.
    pub fn fails(self, code: i32, words: &[&str]) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        // With --nocapture: every message, to be read as a user reads it.
        print!("{}", outcome.stderr);
        for word in words {
            assert!(
                outcome.stderr.contains(word),
                "the error should say {word:?}: {}",
                outcome.stderr
            );
        }
        assert!(outcome.stderr.contains("error: "), "{outcome:?}");
        outcome
    }
}

/// What a call left behind.
#[derive(Debug)]
pub struct Outcome {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// One line of an `embed` CSV.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    pub id: String,
    pub kind: String,
    pub values: Vec<f32>,
    /// Front, middle, back (mel frames), offset (samples); none at all without audio.
    pub crops: Vec<Option<usize>>,
}

pub fn read_embeddings(path: &Path) -> Vec<Embedding> {
    let mut csv = csv::Reader::from_path(path).unwrap();
    let rows: Vec<Embedding> = csv
        .records()
        .map(|record| {
            let record = record.unwrap();
            Embedding {
                id: record[0].to_owned(),
                kind: record[1].to_owned(),
                values: serde_json::from_str(&record[2]).unwrap(),
                crops: record
                    .iter()
                    .skip(3)
                    .map(|cell| cell.parse().ok())
                    .collect(),
            }
        })
        .collect();
    for row in &rows {
        let length = row.values.iter().map(|v| v * v).sum::<f32>().sqrt();
        assert!(
            (length - 1.0).abs() < 1e-5,
            "{} has length {length}",
            row.id
        );
    }
    rows
}

/// The row of an id.
pub fn row<'a>(rows: &'a [Embedding], id: &str) -> &'a Embedding {
    let found: Vec<_> = rows.iter().filter(|row| row.id == id).collect();
    assert_eq!(found.len(), 1, "rows of {id}");
    found[0]
}

/// |a - b| / |b|.
pub fn relative_l2(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |x: f64| x * x;
    let difference: f64 = a.iter().zip(b).map(|(a, b)| square(f64::from(a - b))).sum();
    let length: f64 = b.iter().map(|b| square(f64::from(*b))).sum();
    (difference / length).sqrt()
}

/// The largest [`relative_l2`] over the ids of `a`, each found in `b`.
pub fn largest_difference(a: &[Embedding], b: &[Embedding]) -> f64 {
    a.iter()
        .map(|x| relative_l2(&x.values, &row(b, &x.id).values))
        .fold(0.0, f64::max)
}

/// Every name in a folder and the folders below it, hidden ones too, sorted.
pub fn names_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        if path.is_dir() {
            names.extend(names_below(&path));
        }
    }
    names.sort();
    names
}

/// A WAV of 16-bit samples at 32 kHz.
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    wav_with(1, 16, &data)
}

/// A WAV of one channel at 32 kHz; `tag` is 1 for integers, 3 for floats.
pub fn wav_with(tag: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    const RATE_HZ: u32 = 32_000;
    let block = bits / 8;
    let size = data.len() as u32;
    [
        &b"RIFF"[..],
        &(size + 36).to_le_bytes(),
        b"WAVEfmt ",
        &16u32.to_le_bytes(),
        &tag.to_le_bytes(),
        &1u16.to_le_bytes(),
        &RATE_HZ.to_le_bytes(),
        &(RATE_HZ * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &size.to_le_bytes(),
        data,
    ]
    .concat()
}

/// A wave that nobody would call silence.
pub fn tone(samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|i| ((i as f32 * 0.09).sin() * 9000.0) as i16)
        .collect()
}

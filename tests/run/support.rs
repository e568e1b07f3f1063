//! A folder with cards, checkpoints, pieces and an experiment, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;

use serde_json::Value;
use tempfile::TempDir;

/// Two arms: one fused, one not.
pub const EXPERIMENT: &str = r#"experiment: lab
task: clap_scores
audio: { files: pieces, text: "{taste} music" }
tastes: [bitter, sour, sweet, salty]
arms:
  - { name: fused, model: fused }
  - { name: plain, model: plain }
"#;

/// Four short pieces, made by the demo's MusicGen and scored under one arm.
pub const GENERATE: &str = r#"experiment: made
task: generate
model: tiny
prompts: { text: "{taste} music" }
tastes: [sweet, bitter]
draws: 2
duration_s: 0.4
arms:
  - { name: plain, model: plain }
"#;

/// Two arms on the pieces of [`GENERATE`].
pub const CHAIN: &str = r#"experiment: lab
task: clap_scores
audio: { from: made, text: "{taste} music" }
tastes: [bitter, sweet]
arms:
  - { name: fused, model: fused }
  - { name: plain, model: plain }
"#;

/// The checkpoint of each card, in `assets/demo`.
const CHECKPOINTS: [(&str, &str, bool); 3] = [
    ("fused", "630k-audioset-fusion-best.pt", true),
    ("plain", "630k-audioset-best.pt", false),
    ("music", "music_audioset.pt", false),
];

/// A path of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// One test's own working folder: every path in a message is relative to it.
pub struct Lab {
    root: TempDir,
}

impl Lab {
    /// `models/`, `pieces/` with all demo pieces, and `lab.yaml`.
    pub fn new() -> Self {
        let lab = Self::without_pieces();
        for entry in fs::read_dir(repository("tests/data/pieces")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, lab.at("pieces").join(path.file_name().unwrap())).unwrap();
        }
        lab
    }

    /// Only these demo pieces, each under the name given.
    pub fn with(pieces: &[(&str, &str)]) -> Self {
        let lab = Self::without_pieces();
        for (demo, name) in pieces {
            lab.piece(demo, name);
        }
        lab
    }

    /// Nothing at all.
    pub fn empty() -> Self {
        install_runtime();
        Lab {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn without_pieces() -> Self {
        let lab = Self::empty();
        fs::create_dir(lab.at("models")).unwrap();
        fs::create_dir(lab.at("pieces")).unwrap();
        fs::copy(
            repository("assets/demo/tokenizer.json"),
            lab.at("tokenizer.json"),
        )
        .unwrap();
        for (name, file, fusion) in CHECKPOINTS {
            let from = repository("assets/demo").join(file);
            fs::copy(from, lab.at(&format!("{name}.pt"))).unwrap();
            lab.card(name, &format!("{{ path: ../{name}.pt }}"), fusion);
        }
        lab.write("lab.yaml", EXPERIMENT);
        lab
    }

    /// Without pieces; with the card `tiny`, `made.yaml` to make some, and `lab.yaml` to score those.
    pub fn generating() -> Self {
        let lab = Self::without_pieces();
        lab.write(
            "models/tiny.yaml",
            &format!(
                "kind: musicgen\nsource: {{ path: {0} }}\ntokenizer: {{ path: {0}/tokenizer.json }}\nlicence: cc0-1.0\n",
                repository("assets/demo/musicgen").display()
            ),
        );
        lab.write("made.yaml", GENERATE);
        lab.write("lab.yaml", CHAIN);
        lab
    }

    /// `run made.yaml`, which must succeed.
    pub fn make(&self, args: &[&str]) -> Ran {
        let ran = self.harness(&[&["run", "made.yaml"], args].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran
    }

    /// Name and content of every file below a folder that a repetition must make again: not when, how long and where.
    pub fn made(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let kept = |name: &String| !name.starts_with('.') && name != "manifest.json";
        let names = self.files(folder).into_iter().filter(kept);
        names
            .map(|name| {
                let bytes = self.read(&format!("{folder}/{name}"));
                (name, bytes)
            })
            .collect()
    }

    /// Put a demo piece into `pieces/` under another name.
    pub fn piece(&self, demo: &str, name: &str) {
        let from = repository("tests/data/pieces").join(demo);
        fs::copy(from, self.at("pieces").join(name)).unwrap();
    }

    /// Write the card `name` for a checkpoint from `source`.
    pub fn card(&self, name: &str, source: &str, fusion: bool) {
        self.write(
            &format!("models/{name}.yaml"),
            &format!(
                "kind: clap\nsource: {source}\ntokenizer: {{ path: ../tokenizer.json }}\n\
                 architecture: {{ fusion: {fusion} }}\nlicence: cc0-1.0\n"
            ),
        );
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap();
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        let path = self.at(path);
        fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Every file below the working folder.
    pub fn files(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.at(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path),
                }
            }
        }
        let root = self.at(below);
        let relative = |path: PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
        let mut names: Vec<String> = found.into_iter().map(relative).collect();
        names.sort();
        names
    }

    /// The program in this folder, with nothing of the user's hub settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .args(args)
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .env("HF_HOME", self.at("hf"));
        for variable in ["HF_ENDPOINT", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"] {
            command.env_remove(variable);
        }
        command
    }

    pub fn harness(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// `run lab.yaml`, which must succeed.
    pub fn run(&self, args: &[&str]) -> Ran {
        let ran = self.harness(&[&["run", "lab.yaml"], args].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran
    }

    /// `run lab.yaml`, which must fail so.
    pub fn refused(&self, args: &[&str], code: i32, message: &str) {
        let ran = self.harness(&[&["run", "lab.yaml"], args].concat());
        ran.assert_fails(code, message);
    }

    /// The rows of a CSV, each as one value a column.
    pub fn csv(&self, path: &str) -> Vec<std::collections::HashMap<String, String>> {
        let bytes = self.read(path);
        let mut csv = csv::Reader::from_reader(&bytes[..]);
        csv.deserialize().map(Result::unwrap).collect()
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.read(path)).unwrap()
    }

    /// The CSVs of a run folder: what its numbers are.
    pub fn results(&self, folder: &str) -> [Vec<u8>; 3] {
        ["scores.csv", "embeddings.csv", "stats.csv"]
            .map(|file| self.read(&format!("{folder}/{file}")))
    }

    /// The CSVs and the vector figures of a run folder.
    pub fn drawn_results(&self, folder: &str) -> Vec<Vec<u8>> {
        let mut all = self.results(folder).to_vec();
        for figure in ["scores.svg", "differences.svg"] {
            all.push(self.read(&format!("{folder}/figures/{figure}")));
        }
        all
    }
}

/// What came of a process.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Exit code and the whole of standard error; nothing on standard output.
    pub fn assert_fails(&self, code: i32, message: &str) {
        assert_eq!(self.stderr.trim_end(), format!("error: {message}"));
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""));
    }
}

pub fn ran(command: &mut Command) -> Ran {
    finished(command.output().unwrap())
}

pub fn finished(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// ONNX Runtime is in the user's cache before any test looks at what a command prints.
fn install_runtime() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut setup = Command::new(env!("CARGO_BIN_EXE_harness"));
        let setup = ran(setup.arg("setup"));
        assert_eq!(setup.code, Some(0), "{}", setup.stderr);
    });
}

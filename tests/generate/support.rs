//! A folder with prompts, and calls of the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

pub const CARD: &str = "assets/demo/models/tasty-musicgen-small.yaml";

/// A path of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A working folder with `prompts.txt`.
pub struct Studio {
    root: TempDir,
    models: Arc<TempDir>,
}

impl Studio {
    pub fn new(prompts: &[&str]) -> Self {
        let studio = Self {
            root: TempDir::new().unwrap(),
            models: exported(),
        };
        studio.write_prompts(prompts);
        studio
    }

    /// One prompt a line.
    pub fn write_prompts(&self, prompts: &[&str]) {
        let text: String = prompts.iter().map(|p| format!("{p}\n")).collect();
        fs::write(self.at("prompts.txt"), text).unwrap();
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// `generate` with the demo's model into the folder `out`.
    pub fn command(&self, out: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .args(["generate", "--prompts", "prompts.txt", "--out", out])
            .arg("--models")
            .arg(self.models.path())
            .args(args)
            .current_dir(self.root.path())
            .stdin(Stdio::null());
        if !args.contains(&"--model") {
            command.arg("--model").arg(repository(CARD));
        }
        command
    }

    pub fn generate(&self, out: &str, args: &[&str]) -> Ran {
        ran(self.command(out, args).output().unwrap())
    }

    /// As [`Studio::generate`], which must succeed; what it said is returned.
    pub fn ok(&self, out: &str, args: &[&str]) -> String {
        let ran = self.generate(out, args);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        ran.stderr
    }

    /// As [`Studio::generate`], which must fail with `code` and all of `words`.
    pub fn fails(&self, out: &str, args: &[&str], code: i32, words: &[&str]) {
        let ran = self.generate(out, args);
        // With --nocapture: every message, to be read as a user reads it.
        print!("{}", ran.stderr);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(code), ""),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
        for word in words {
            assert!(
                ran.stderr.contains(word),
                "should say {word:?}: {}",
                ran.stderr
            );
        }
    }

    /// The files of a folder that are not hidden, with their bytes, by name.
    pub fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = names(&self.at(folder))
            .into_iter()
            .filter(|name| !name.starts_with('.'))
            .map(|name| {
                let bytes = fs::read(self.at(folder).join(&name)).unwrap();
                (name, bytes)
            })
            .collect();
        files.sort();
        files
    }

    /// The samples of a WAV as it was written.
    pub fn samples(&self, path: &str) -> Vec<f32> {
        let wav = fs::read(self.at(path)).unwrap();
        let (samples, rest) = wav[58..].as_chunks::<4>();
        assert!(wav.starts_with(b"RIFF") && rest.is_empty());
        samples.iter().map(|s| f32::from_le_bytes(*s)).collect()
    }

    /// The codes `[codebooks, frames]` of an NPY.
    pub fn codes(&self, path: &str) -> Vec<Vec<i64>> {
        let npy = fs::read(self.at(path)).unwrap();
        let header = String::from_utf8_lossy(&npy[10..128]).into_owned();
        let shape = header.split(['(', ')']).nth(1).unwrap();
        let frames = shape.split(", ").nth(1).unwrap().parse().unwrap();
        let (codes, _) = npy[128..].as_chunks::<8>();
        let codes: Vec<i64> = codes.iter().map(|c| i64::from_le_bytes(*c)).collect();
        codes.chunks(frames).map(<[i64]>::to_vec).collect()
    }
}

/// Names in a folder, hidden ones too.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What came of a call.
pub struct Ran {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn ran(output: Output) -> Ran {
    let ran = Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

/// In the background, its output kept.
pub fn spawn(mut command: Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A models folder with the exported graphs of the demo's model, which all tests share; it goes with the last of them.
fn exported() -> Arc<TempDir> {
    static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(models) = shared.upgrade() {
        return models;
    }
    let models = Arc::new(TempDir::new().unwrap());
    for command in ["setup", "export"] {
        let mut call = Command::new(env!("CARGO_BIN_EXE_harness"));
        call.arg(command);
        if command == "export" {
            call.arg(repository(CARD))
                .arg("--models")
                .arg(models.path());
        }
        let ran = ran(call.output().unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    *shared = Arc::downgrade(&models);
    models
}

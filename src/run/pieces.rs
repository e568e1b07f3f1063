//! A folder of generated pieces: a WAV each, codes where they are asked for, and which of them are finished.
//!
//! A piece is a file only when it is whole, and it is finished once the journal has its hash; the process may end at any
//! moment.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap_audio::write_wav;
use foreign::words;
use foreign::{Foreign, Words};
use ndarray::Array2;
use process::progress::note;
use serde::{Deserialize, Serialize};

use super::folder::{Held, JOURNAL, cannot_use, hold};
use super::lines::Lines;
use crate::exit::UsageError;
use crate::experiment::Identity;
use crate::tables::write_npy;

/// A finished piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Made {
    id: String,
    prompt: String,
    wav_sha256: String,
    codes_sha256: Option<String>,
}

/// The folder, which this process holds until it drops this.
pub struct PieceFolder {
    held: Held,
    lines: Lines,
    made: HashMap<String, Made>,
    with_codes: bool,
}

impl PieceFolder {
    /// Open `folder`, made if it is missing, for pieces with the settings of `identity`: `ids` with their prompts, which
    /// are names of files. `with_codes` asks for each one's codes too.
    ///
    /// # Errors
    /// When the folder has pieces of other settings or other prompts, is another process's, or cannot be written.
    pub fn open(
        folder: &Path,
        identity: &Identity,
        pieces: &[(String, String)],
        with_codes: bool,
    ) -> Result<Self> {
        let others = |what: Words| {
            UsageError(words!(
                "{} holds {}; name another folder with --out, or remove it to make its pieces anew",
                folder.display(),
                what
            ))
        };
        let has_results = |folder: &Path| {
            let exists = |file: String| folder.join(file).exists();
            pieces
                .iter()
                .any(|(id, _)| exists(wav_name(id)) || exists(codes_name(id)))
        };
        let held = hold(folder, identity, has_results)?
            .ok_or_else(|| others("pieces that were made with other settings".into()))?;
        let mut made = HashMap::new();
        let lines = Lines::open(&folder.join(JOURNAL), false, |entry: Made| {
            made.insert(entry.id.clone(), entry);
            true
        })
        .with_context(|| cannot_use(folder))?;
        for (id, prompt) in pieces {
            if made.get(id).is_some_and(|made| made.prompt != *prompt) {
                return Err(
                    others(words!("a piece {} from another prompt", Foreign::new(id))).into(),
                );
            }
        }
        // What a killed process was writing.
        files::sweep(folder).with_context(|| cannot_use(folder))?;
        Ok(Self {
            held,
            lines,
            made,
            with_codes,
        })
    }

    pub fn path(&self) -> &Path {
        &self.held.folder
    }

    /// Whether the files of piece `id` are there as they were written; a file that is not is told, and made again.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn has(&self, id: &str) -> Result<bool> {
        let Some(made) = self.made.get(id) else {
            return Ok(false);
        };
        let codes = match (self.with_codes, &made.codes_sha256) {
            (false, _) => true,
            (true, None) => false,
            (true, Some(sha256)) => is_whole(&self.at(codes_name(id))?, sha256)?,
        };
        Ok(codes && is_whole(&self.at(wav_name(id))?, &made.wav_sha256)?)
    }

    /// Write a piece's files: codes `[codebooks, frames]` if they are asked for, and mono `audio`.
    ///
    /// # Errors
    /// When one cannot be written, as on a full disk; then the piece is not there, and those before it are.
    pub fn save(
        &mut self,
        id: &str,
        prompt: &str,
        codes: &Array2<i64>,
        audio: &[f32],
        sample_rate_hz: u32,
    ) -> Result<()> {
        let codes_sha256 = match self.with_codes {
            true => Some(self.write(codes_name(id), |path| write_npy(path, codes))?),
            false => None,
        };
        let wav_sha256 = self.write(wav_name(id), |path| write_wav(path, audio, sample_rate_hz))?;
        let made = Made {
            id: id.to_owned(),
            prompt: prompt.to_owned(),
            wav_sha256,
            codes_sha256,
        };
        let journal = self.lines.path().to_owned();
        self.lines
            .add(std::slice::from_ref(&made))
            .with_context(|| cannot_write(&journal))?;
        self.made.insert(made.id.clone(), made);
        Ok(())
    }

    /// The sha256 of a file just written.
    fn write(&self, name: String, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<String> {
        let path = self.at(name)?;
        write(&path)
            .and_then(|()| files::sha256_file(&path))
            .with_context(|| cannot_write(&path))
    }

    /// A file of the folder itself, whoever made the folder.
    fn at(&self, name: String) -> Result<PathBuf> {
        let folder = self.path();
        files::inside(folder, name).with_context(|| cannot_use(folder))
    }
}

fn wav_name(id: &str) -> String {
    format!("{id}.wav")
}

fn codes_name(id: &str) -> String {
    format!("{id}.npy")
}

fn cannot_write(path: &Path) -> String {
    format!(
        "cannot write {}; the pieces finished before it are kept, and the same command goes on from there",
        path.display()
    )
}

/// Whether `path` is a file with this content.
fn is_whole(path: &Path, sha256: &str) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let found =
        files::sha256_file(path).with_context(|| format!("cannot read {}", path.display()))?;
    if found != sha256 {
        note(format!(
            "{} is not what was written; it is made again",
            path.display()
        ));
    }
    Ok(found == sha256)
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use serde_json::json;

    use super::*;
    use crate::experiment::identity_of;

    fn pieces(prompts: &[&str]) -> Vec<(String, String)> {
        (1..)
            .zip(prompts)
            .map(|(n, prompt)| (n.to_string(), (*prompt).to_owned()))
            .collect()
    }

    fn open(folder: &Path, seed: u64, prompts: &[&str], codes: bool) -> Result<PieceFolder> {
        let identity = identity_of(json!({ "seed": seed })).unwrap();
        PieceFolder::open(folder, &identity, &pieces(prompts), codes)
    }

    fn save(pieces: &mut PieceFolder, id: &str, prompt: &str) {
        pieces
            .save(id, prompt, &array![[1], [2]], &[0.5, 2.0], 32_000)
            .unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn finished_pieces_are_known_again_and_damaged_ones_are_not() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        let mut pieces = open(&folder, 0, &["a", ""], false).unwrap();
        save(&mut pieces, "1", "a");
        save(&mut pieces, "2", "");
        drop(pieces);
        assert_eq!(names(&folder), ["1.wav", "2.wav"]);

        // A prompt more is no other setting; codes that were not saved are missing.
        let more = open(&folder, 0, &["a", "", "c"], false).unwrap();
        let has = |pieces: &PieceFolder| ["1", "2", "3"].map(|id| pieces.has(id).unwrap());
        assert_eq!(has(&more), [true, true, false]);
        drop(more);
        let mut codes = open(&folder, 0, &["a", ""], true).unwrap();
        assert_eq!(has(&codes), [false; 3]);
        save(&mut codes, "1", "a");
        assert_eq!(names(&folder), ["1.npy", "1.wav", "2.wav"]);
        drop(codes);

        std::fs::write(folder.join("1.npy"), "other").unwrap();
        std::fs::remove_file(folder.join("2.wav")).unwrap();
        std::fs::write(folder.join(".part-harness-x"), "half").unwrap();
        let damaged = open(&folder, 0, &["a", ""], true).unwrap();
        assert_eq!(has(&damaged), [false; 3]);
        drop(damaged);
        assert!(!folder.join(".part-harness-x").exists());
        let without = open(&folder, 0, &["a", ""], false).unwrap();
        assert_eq!(has(&without), [true, false, false]);
    }

    #[test]
    fn a_folder_in_which_nothing_was_finished_is_free() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        drop(open(&folder, 0, &["a"], false).unwrap());
        let mut other = open(&folder, 1, &["b"], false).unwrap();
        save(&mut other, "1", "b");
        drop(other);
        assert!(open(&folder, 0, &["a"], false).is_err());
        std::fs::remove_file(folder.join("1.wav")).unwrap();
        // The journal still tells of a piece.
        assert!(open(&folder, 0, &["a"], false).is_err());
    }

    #[test]
    fn pieces_are_never_mixed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        save(&mut open(&folder, 0, &["a"], false).unwrap(), "1", "a");
        let error = |seed: u64, prompts: &[&str]| {
            let error = open(&folder, seed, prompts, false).err().unwrap();
            assert!(error.is::<UsageError>());
            error.to_string()
        };
        let way_out = "name another folder with --out, or remove it to make its pieces anew";
        assert_eq!(
            error(1, &["a"]),
            format!(
                "{} holds pieces that were made with other settings; {way_out}",
                folder.display()
            )
        );
        assert_eq!(
            error(0, &["b"]),
            format!(
                "{} holds a piece 1 from another prompt; {way_out}",
                folder.display()
            )
        );
        // Whose it is, the folder does not say.
        std::fs::remove_file(folder.join(".identity")).unwrap();
        assert!(error(0, &["a"]).contains("other settings"));
        assert_eq!(names(&folder), ["1.wav"]);

        let held = open(&root.path().join("held"), 0, &["a"], false).unwrap();
        let second = open(held.path(), 0, &["a"], false).err().unwrap();
        assert!(
            second
                .to_string()
                .starts_with("another harness is at work in")
        );
    }
}

//! What `--demo` brings: small checkpoints in the real formats, cards for them and a few descriptions, all in the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use files::cache;
use files::{self, regular};
use process::progress::note;

use crate::spec::Shrink;

/// Said once by every demo run.
pub const NOTICE: &str =
    "demo: small bundled models with random weights; the numbers below mean nothing";

macro_rules! bundled {
    ($($path:literal),+ $(,)?) => {
        /// Path below the demo's folder, and content.
        const FILES: &[(&str, &[u8])] = &[$((
            $path,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/", $path)),
        )),+];
    };
}

bundled![
    "630k-audioset-best.pt",
    "630k-audioset-fusion-best.pt",
    "music_audioset.pt",
    "tokenizer.json",
    "models/630k-audioset-best.yaml",
    "models/630k-audioset-fusion-best.yaml",
    "models/music_audioset.yaml",
    "captions.csv",
    "descriptions.json",
    "models/tasty-musicgen-small.yaml",
    "musicgen/config.json",
    "musicgen/generation_config.json",
    "musicgen/model.safetensors",
    "musicgen/tokenizer.json",
];

/// Where the demo lies on this machine.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Cards, and the graphs exported from them.
    pub models: PathBuf,
    descriptions: PathBuf,
    captions: PathBuf,
}

impl Demo {
    /// Small enough for the whole chain in a minute on two cores, and long enough that CLAP hears only a part of a piece.
    pub fn shrink(&self) -> Shrink {
        Shrink {
            draws: 3,
            duration_s: 12.0,
            descriptions: self.descriptions.clone(),
            captions: self.captions.clone(),
        }
    }
}

/// Unpack the demo into the cache: its folder is named by its content, and every file that is missing or damaged is
/// written anew, whole, whoever else does so at the same time.
pub fn unpack() -> anyhow::Result<Demo> {
    let hashes: Vec<String> = FILES
        .iter()
        .map(|(path, bytes)| format!("{path} {}", files::sha256_bytes(bytes)))
        .collect();
    let key = files::sha256_bytes(hashes.join("\n").as_bytes());
    let folder = cache::folder()?.join("demo").join(&key[..16]);
    unpack_to(&folder).with_context(|| {
        format!(
            "cannot unpack the demo into {}; remove that folder, free some space, or set HARNESS_CACHE to another folder",
            folder.display()
        )
    })?;
    Ok(Demo {
        models: folder.join("models"),
        descriptions: folder.join("descriptions.json"),
        captions: folder.join("captions.csv"),
    })
}

fn unpack_to(folder: &Path) -> io::Result<()> {
    let was_here = folder.is_dir();
    for (name, bytes) in FILES {
        let path = folder.join(name);
        if regular::read(&path, bytes.len() as u64).is_ok_and(|found| found == *bytes) {
            continue;
        }
        if was_here {
            note(format!("{} is damaged and is written anew", path.display()));
        }
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        files::write_bytes(&path, bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_or_missing_is_written_anew() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("demo");
        unpack_to(&folder).unwrap();
        let at = |name: &str| folder.join(name);
        fs::write(at("tokenizer.json"), "{").unwrap();
        fs::remove_file(at("models/music_audioset.yaml")).unwrap();
        let kept = fs::metadata(at("captions.csv"))
            .unwrap()
            .modified()
            .unwrap();
        unpack_to(&folder).unwrap();
        for (name, bytes) in FILES {
            assert_eq!(fs::read(at(name)).unwrap(), *bytes, "{name}");
        }
        let found = fs::metadata(at("captions.csv"))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(found, kept);
    }

    /// A file that is added to `assets/demo` and not to the list would be missing from the program only.
    #[test]
    fn every_file_of_the_demo_is_bundled() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        let mut on_disk = Vec::new();
        for folder in ["", "models", "musicgen"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() && path.extension().is_none_or(|e| e != "md") {
                    let relative = path.strip_prefix(&root).unwrap();
                    on_disk.push(relative.to_str().unwrap().to_owned());
                }
            }
        }
        let mut bundled: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        on_disk.sort();
        bundled.sort();
        assert_eq!(on_disk, bundled);
        let total: usize = FILES.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(total < 4_000_000, "{total} bytes");
    }
}

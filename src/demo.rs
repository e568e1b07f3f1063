//! What `--demo` brings: small checkpoints in the real formats, cards for them and a few descriptions, all in the program.

use std::path::PathBuf;

use crate::bundled::{Bundle, bundled};
use crate::spec::Shrink;

/// Said once by every demo run.
pub const NOTICE: &str =
    "demo: small bundled models with random weights; the numbers below mean nothing";

pub const DEMO: Bundle = Bundle {
    name: "demo",
    files: bundled!["assets/demo/":
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
    ],
};

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

/// Unpack the demo into the cache.
pub fn unpack() -> anyhow::Result<Demo> {
    let folder = DEMO.unpack()?;
    Ok(Demo {
        models: folder.join("models"),
        descriptions: folder.join("descriptions.json"),
        captions: folder.join("captions.csv"),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

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
        let mut bundled: Vec<&str> = DEMO.files.iter().map(|(path, _)| *path).collect();
        on_disk.sort();
        bundled.sort();
        assert_eq!(on_disk, bundled);
        let total: usize = DEMO.files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(total < 4_000_000, "{total} bytes");
    }
}

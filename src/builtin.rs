//! The experiments and cards that the program brings, so that it needs no checkout: found by name, shadowed by files of the
//! working folder.

use std::path::{Path, PathBuf};

use crate::bundled::{Bundle, bundled};
use crate::demo;

/// As they are in the repository.
pub const BUILTIN: Bundle = Bundle {
    name: "builtin",
    files: bundled!["":
        "experiments/fusion_tsne.yaml",
        "experiments/gen_spanio.yaml",
        "experiments/gen_spanio_base.yaml",
        "experiments/musiccaps_text.yaml",
        "experiments/reprompt.yaml",
        "experiments/reprompt_base.yaml",
        "experiments/weights.yaml",
        "experiments/notebooks/ComparisonCLAPWeights.yaml",
        "experiments/notebooks/GenMusicSpanio.yaml",
        "experiments/notebooks/GenMusicSpanioBase.yaml",
        "experiments/notebooks/TSNEEnableFusion.yaml",
        "experiments/notebooks/clap-encoder-spanio-audiocaps.yaml",
        "models/630k-audioset-best.yaml",
        "models/630k-audioset-fusion-best.yaml",
        "models/630k-best.yaml",
        "models/630k-fusion-best.yaml",
        "models/clap-htsat-fused.yaml",
        "models/clap-htsat-unfused.yaml",
        "models/music_audioset.yaml",
        "models/music_speech.yaml",
        "models/music_speech_audioset.yaml",
        "models/musicgen-small.yaml",
        "models/tasty-musicgen-small.yaml",
    ],
};

/// Where experiments are, in the working folder and in the program.
pub const EXPERIMENTS: &str = "experiments";
/// The same of cards.
const MODELS: &str = "models";

/// The names of those in the program.
pub fn experiments() -> Vec<&'static str> {
    let files = BUILTIN.files.iter();
    let names = files.filter_map(|(path, _)| {
        let name = path.strip_prefix(EXPERIMENTS)?.strip_prefix('/')?;
        name.strip_suffix(".yaml")
            .filter(|name| !name.contains('/'))
    });
    names.collect()
}

/// The folder of the program's cards, which stand behind those of the folder `models`; `None` behind the demo's, which are
/// small models of the same names.
pub fn models_behind(models: &Path) -> Option<PathBuf> {
    if demo::DEMO.has(models) {
        return None;
    }
    // Without a cache there is nothing to fall back to, and the card that is missing is told.
    Some(BUILTIN.unpack().ok()?.join(MODELS))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A file that is added to the repository and not to the list would be missing from the program only.
    #[test]
    fn every_experiment_and_card_is_built_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut on_disk = Vec::new();
        for folder in ["experiments", "experiments/notebooks", "models"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".yaml") {
                    on_disk.push(format!("{folder}/{name}"));
                }
            }
        }
        let mut built_in: Vec<&str> = BUILTIN.files.iter().map(|(path, _)| *path).collect();
        on_disk.sort();
        built_in.sort();
        assert_eq!(on_disk, built_in);
        assert!(experiments().contains(&"weights") && !experiments().contains(&"GenMusicSpanio"));
    }
}

//! Audio files to the features of CLAP's audio tower, several at a time.

use std::path::{Path, PathBuf};

use clap_audio::{
    self, AudioError, CLAP_RATE_HZ, ClapFeatures, ClapFrontEnd, CropPolicy, Crops, FeatureError,
    Told,
};
use rayon::prelude::*;

use crate::seeds;
use crate::windows::Windows;

/// Why a clip cannot be embedded. The message names its file.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error(transparent)]
    Audio(#[from] AudioError),
    #[error("cannot use {}: {source}", path.display())]
    Features { path: PathBuf, source: FeatureError },
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// What a look at an audio file found; the samples are not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipInfo {
    pub duration_s: f64,
    /// Of the file.
    pub sha256: String,
    /// What is not as it should be in it.
    pub told: Option<Told>,
}

/// Decode every file and forget the samples: what is wrong with any of them is known before a model is loaded.
pub fn survey(paths: &[&Path]) -> Vec<Result<ClipInfo, ClipError>> {
    paths
        .par_iter()
        .map(|path| {
            let heard = clap_audio::each_block(path, |_, _| {})?;
            let sha256 = files::sha256_file(path).map_err(|source| ClipError::Read {
                path: path.to_path_buf(),
                source,
            })?;
            Ok(ClipInfo {
                duration_s: heard.seconds(),
                sha256,
                told: heard.told,
            })
        })
        .collect()
}

/// How the crops of long clips are chosen.
#[derive(Debug, Clone)]
pub enum CropChoice {
    /// By a policy; the seeded one draws from the stream (seed, experiment, clip id, "crops"), so that every model
    /// hears the same part of a piece.
    Policy {
        policy: CropPolicy,
        seed: u64,
        experiment: String,
    },
    /// As recorded earlier, by clip id. A clip that needs crops and has none here is an error.
    Recorded(std::collections::HashMap<String, Crops>),
    /// All of a clip is heard, in windows.
    Windows(Windows),
}

impl CropChoice {
    /// How many parts of `clips` clips there are to hear, as far as it matters to how many run at once.
    pub fn parts(&self, clips: usize) -> usize {
        match self {
            Self::Windows(_) => usize::MAX,
            _ => clips,
        }
    }

    fn of(&self, front_end: &ClapFrontEnd, id: &str, samples: usize) -> Crops {
        match self {
            Self::Policy {
                policy,
                seed,
                experiment,
            } => front_end.draw(
                samples,
                *policy,
                &mut seeds::stream(*seed, experiment, id, "crops"),
            ),
            Self::Recorded(crops) => crops.get(id).copied().unwrap_or_default(),
            Self::Windows(_) => Crops::default(),
        }
    }
}

/// Features of the clips `(id, path)`, in their order, with the crops that were taken; of each that cannot be used, why.
pub fn features(
    front_end: &ClapFrontEnd,
    clips: &[(&str, &Path)],
    choice: &CropChoice,
) -> Vec<Result<(ClapFeatures, Crops), ClipError>> {
    clips
        .par_iter()
        .map(|(id, path)| {
            let samples = clap_audio::decode_at(path, CLAP_RATE_HZ)?;
            let failed = |source| ClipError::Features {
                path: path.to_path_buf(),
                source,
            };
            let chosen = choice.of(front_end, id, samples.len());
            let taken = front_end
                .taken(samples.len(), &chosen)
                .map_err(|e| failed(e.into()))?;
            let features = front_end.features(&samples, &taken).map_err(failed)?;
            Ok((features, taken))
        })
        .collect()
}

/// The features of one window of a clip, `[samples]` at 48 kHz and at most 10 s.
pub(crate) fn window(
    front_end: &ClapFrontEnd,
    path: &Path,
    samples: &[f32],
) -> Result<ClapFeatures, ClipError> {
    front_end
        .features(samples, &Crops::default())
        .map_err(|source| ClipError::Features {
            path: path.to_owned(),
            source,
        })
}

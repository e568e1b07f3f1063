//! A checkpoint's tensors against those that an architecture needs.

use std::collections::BTreeSet;
use std::fmt;

use super::super::error::printable;
use super::super::{Checkpoint, Dtype};
use super::{ClapArchitecture, requirements};

/// How a checkpoint and an architecture differ. Names are those of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// Needed and not in the file.
    pub missing: Vec<String>,
    /// In the file with another shape, or not of a floating-point type.
    pub misshapen: Vec<Misshapen>,
    /// In the file, not needed, and not among what checkpoints are known to carry.
    pub leftover: Vec<String>,
    /// In the file and known not to be needed: constant tables, heads of the training, the front end's kernels.
    pub unused: Vec<String>,
}

impl Match {
    /// Whether every tensor that is needed is there with its shape.
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.misshapen.is_empty()
    }
}

/// A tensor whose shape is not the one that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    pub name: String,
    pub expected: Vec<usize>,
    pub found: Vec<usize>,
    pub dtype: Dtype,
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = printable(&self.name);
        write!(f, "{name} {:?}, needed {:?}", self.found, self.expected)?;
        match self.dtype.is_float() {
            true => Ok(()),
            false => write!(f, " (of type {}, not floating-point)", self.dtype),
        }
    }
}

/// Compare with any architecture, be it the recognised one or the one that a card claims.
pub fn compare(checkpoint: &Checkpoint, architecture: &ClapArchitecture) -> Match {
    let tensors = checkpoint.tensors();
    let mut result = Match::default();
    let mut needed = BTreeSet::new();
    for requirement in requirements(architecture) {
        let expected = requirement.part_shape();
        for source in requirement.sources {
            match tensors.get(&source) {
                None => result.missing.push(source.clone()),
                Some(info) if info.shape == expected && info.dtype.is_float() => {}
                Some(info) => result.misshapen.push(Misshapen {
                    name: source.clone(),
                    expected: expected.clone(),
                    found: info.shape.clone(),
                    dtype: info.dtype,
                }),
            }
            needed.insert(source);
        }
    }
    for name in tensors.keys().filter(|name| !needed.contains(*name)) {
        match is_known_unused(name) {
            true => result.unused.push(name.clone()),
            false => result.leftover.push(name.clone()),
        }
    }
    result
}

/// What laion_clap and transformers save beside the weights of inference.
fn is_known_unused(name: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "logit_scale",
        "audio_transform.",
        "text_transform.",
        "audio_branch.tscam_conv.",
        "audio_branch.head.",
        "audio_branch.spectrogram_extractor.",
        "audio_branch.logmel_extractor.",
    ];
    const ENDINGS: &[&str] = &[
        ".num_batches_tracked",
        ".relative_position_index",
        ".attn_mask",
        ".position_ids",
        ".token_type_ids",
    ];
    PREFIXES.iter().any(|p| name.starts_with(p)) || ENDINGS.iter().any(|e| name.ends_with(e))
}

//! A checkpoint's tensors against those that a CLAP architecture needs.

use super::super::{Checkpoint, Match};
use super::{ClapArchitecture, requirements};

/// Compare with any architecture, be it the recognised one or the one that a card claims.
pub fn compare(checkpoint: &Checkpoint, architecture: &ClapArchitecture) -> Match {
    let needed = requirements(architecture).into_iter().flat_map(|need| {
        let shape = need.part_shape();
        let sources = need.sources.into_iter();
        sources.map(move |source| (source, shape.clone()))
    });
    Match::of(checkpoint, needed, is_known_unused)
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

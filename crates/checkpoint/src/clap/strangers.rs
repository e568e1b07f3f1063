//! What a checkpoint is that is not a CLAP model, as far as its names tell.

use foreign::words;
use foreign::{Foreign, Words};

use super::super::Checkpoint;
use super::super::musicgen::is_musicgen;

/// Whether any tensor's name begins so.
pub(super) fn has_prefix(checkpoint: &Checkpoint, prefix: &str) -> bool {
    let mut from = checkpoint.tensors().range(prefix.to_owned()..);
    from.next()
        .is_some_and(|(name, _)| name.starts_with(prefix))
}

/// Half a sentence: "it looks like ...".
pub(super) fn looks_like(checkpoint: &Checkpoint) -> Words {
    if is_musicgen(checkpoint) {
        return "it looks like a MusicGen checkpoint; give its card kind: musicgen".into();
    }
    const SIGNS: &[(&str, &str)] = &[
        (
            "audio_branch.conv_block1.",
            "a laion_clap checkpoint with a PANN audio tower; only HTSAT towers are implemented",
        ),
        (
            "text_branch.resblocks.",
            "a laion_clap checkpoint with CLIP's text tower; only RoBERTa is implemented",
        ),
        (
            "audio_branch.",
            "a part of a laion_clap checkpoint; the text tower (text_branch) is missing",
        ),
        (
            "text_branch.",
            "a part of a laion_clap checkpoint; the audio tower (audio_branch) is missing",
        ),
        (
            "audio_model.audio_encoder.",
            "the audio half of a ClapModel; text_model is missing",
        ),
        (
            "text_model.",
            "a text tower of a ClapModel or CLIP without HTSAT",
        ),
        ("quantizer.", "an EnCodec checkpoint"),
        ("roberta.", "a plain RoBERTa checkpoint"),
        ("decoder.", "a decoder or sequence-to-sequence checkpoint"),
    ];
    if let Some((_, what)) = SIGNS.iter().find(|(sign, _)| has_prefix(checkpoint, sign)) {
        return words!("it looks like {}", what);
    }
    let names: Vec<_> = checkpoint.tensors().keys().take(3).collect();
    let shown = Words::join(names.into_iter().map(Foreign::new), ", ");
    words!(
        "its tensors are of no model known here (the first of {}: {})",
        checkpoint.tensors().len(),
        shown
    )
}

//! MusicGen checkpoints: the sizes that `config.json` states, and the tensors that generation needs of them.
//!
//! Source: transformers 5.23 (`MusicgenForConditionalGeneration`: T5 encoder, MusicGen decoder, EnCodec); Copet et al.,
//! Simple and Controllable Music Generation (arXiv 2306.05284). A tensor's canonical name is that of transformers, with a
//! weight-normalised convolution's weight under its plain name.

mod check;
mod config;
mod raw;
mod read;
mod report;
mod requirements;
mod weights;

pub use self::config::{CodecConfig, DecoderConfig, MusicgenConfig, TextConfig};
pub use self::report::{Description, describe};
pub use self::weights::MusicgenWeights;

use super::Checkpoint;

/// Whether the names are those of the three parts of a `MusicgenForConditionalGeneration`.
pub fn is_musicgen(checkpoint: &Checkpoint) -> bool {
    ["text_encoder.", "decoder.model.decoder.", "audio_encoder."]
        .iter()
        .all(|prefix| {
            let mut from = checkpoint.tensors().range((*prefix).to_owned()..);
            from.next()
                .is_some_and(|(name, _)| name.starts_with(prefix))
        })
}

//! Texts and audio to embeddings. Reads no YAML, writes no file, prints nothing.

mod batches;
mod clap_audio;
mod clap_text;
pub mod clips;
pub mod musicgen;
mod prepare;
mod tokenizer;

pub use clap_audio::{AudioTower, EmbeddedClip};
pub use clap_text::{TextTower, TokenizerError};
pub use prepare::prepare;

use crate::export::ExportError;
use crate::interrupt::Interrupted;
use crate::runtime::SessionError;
use crate::wording::Foreign;

/// Why something could not be embedded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error(transparent)]
    Clip(#[from] clips::ClipError),
    /// Not transparent: the exit code is looked for along the chain of causes.
    #[error("{0}")]
    Interrupted(#[from] Interrupted),
    #[error("the embedding of {what} is not finite; its checkpoint or its input is damaged")]
    NotFinite { what: Foreign },
}

impl EmbedError {
    /// Whether fewer clips at once might do.
    fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Session(error) if error.is_out_of_memory())
    }
}

//! Texts and audio to embeddings. Reads no YAML, writes no file, prints nothing.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod batches;
mod clap_audio;
mod clap_text;
pub mod clips;
/// ONNX Runtime on the CPU, opened once: the same file serves the tests outside.
#[cfg(test)]
#[path = "../../../tests/support/runtime.rs"]
mod for_tests;
pub mod musicgen;
pub mod seeds;
mod tokenizer;
pub mod windows;

pub use clap_audio::{AudioTower, EmbeddedClip};
pub use clap_text::{TextTower, TokenizerError};

use foreign::Foreign;
use onnx_export::ExportError;
use ort_runtime::SessionError;
use process::interrupt::Interrupted;

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

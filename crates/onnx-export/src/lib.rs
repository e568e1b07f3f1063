//! Checkpoints to ONNX graphs, kept under `<models>/graphs/` by the content that made them.
//!
//! One file an architecture; each turns named weights into a graph with [`onnx_graph`]. What the graphs compute is
//! compared with the reference implementations in `tests/`.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod blocks;
mod centred;
mod clap_audio;
mod clap_fusion;
mod clap_patches;
mod clap_text;
mod exported;
mod front_end;
mod models;
pub mod musicgen;
mod quantise;
mod store;
mod target;
mod windows;
mod write;

pub use exported::{DecoderCache, Exported, ExportedClap, ExportedGraph, ExportedModel};
pub use models::ModelWeights;
pub use store::{export, find};
pub use target::{CacheForm, Target};

use std::io;
use std::path::PathBuf;

use checkpoint::CheckpointError;
use foreign::Words;

/// Changes whenever an exporter writes another graph for the same checkpoint, so that old graphs are not used.
pub const EXPORTER_VERSION: u32 = 6;

/// Name of the graph of CLAP's audio tower.
pub const AUDIO: &str = "audio";
/// Name of the graph of CLAP's text tower.
pub const TEXT: &str = "text";

/// Tokens of a prompt, `</s>` included: what T5 was trained with, and transformers' `model_max_length`.
pub const MAX_PROMPT_TOKENS: usize = 512;

/// Why a checkpoint was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// While a graph was written; [`ExportError::Folder`] names where.
    #[error("cannot write a graph")]
    Write(#[from] io::Error),
    #[error(
        "cannot export to {}: {source}; free some space or choose another folder with --models",
        folder.display()
    )]
    Folder { folder: PathBuf, source: io::Error },
    #[error(
        "the export in {} is damaged: {detail}",
        folder.display()
    )]
    Damaged { folder: PathBuf, detail: Words },
    #[error("the scales of an int8 cache are missing; this is a mistake in the harness")]
    NoCacheScales,
    /// Another kind of model was exported than is asked for.
    #[error("this is {0}")]
    Kind(&'static str),
    #[error(
        "the checkpoint's {what} are not those of its front end (largest difference {difference:e}): its embeddings \
         would be computed from other features than it was trained on"
    )]
    FrontEnd { what: &'static str, difference: f32 },
}

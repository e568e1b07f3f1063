//! What can go wrong between a prompt and its music.

use std::path::PathBuf;

use foreign::{Safe, Words};
use onnx_export::{ExportError, MAX_PROMPT_TOKENS};
use ort_runtime::SessionError;
use process::interrupt::Interrupted;

use super::batch::NoRoom;
use super::sampler::ChoiceError;

/// Why a piece was not made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    #[error(
        "there is not enough memory for one piece of this length: {0}; make shorter pieces, free memory, or take \
         another device or provider"
    )]
    OutOfMemory(SessionError),
    /// Not transparent: the exit code is looked for along the chain of causes.
    #[error("{0}")]
    Interrupted(#[from] Interrupted),
    #[error("cannot read the tokenizer {}: {detail}; it should be T5's tokenizer.json", path.display())]
    Tokenizer { path: PathBuf, detail: Words },
    #[error(
        "the tokenizer {} does not belong to this checkpoint: it gives ids up to {id}, and the checkpoint has {vocab} \
         rows of word embeddings; correct `tokenizer` in the card",
        path.display()
    )]
    Vocabulary {
        path: PathBuf,
        id: u32,
        vocab: usize,
    },
    /// `job` is the index of the piece.
    #[error("cannot turn its prompt into tokens: {detail}")]
    Encode { job: usize, detail: Words },
    /// `job` is the index of the piece.
    #[error(
        "its prompt has {tokens} tokens, and the text encoder takes {MAX_PROMPT_TOKENS} at most; shorten it"
    )]
    LongPrompt { job: usize, tokens: usize },
    #[error(
        "{steps} steps are more than the model's {limit} positions; a piece has at most {limit} steps, which are \
         {longest_s:.2} s"
    )]
    Positions {
        steps: usize,
        limit: usize,
        longest_s: f64,
    },
    #[error("{steps} steps make no frame: {codebooks} codebooks need at least {codebooks} steps")]
    NoFrame { steps: usize, codebooks: usize },
    #[error(
        "guidance is {0}, and it must be a finite number of at least 1 (1 is without guidance)"
    )]
    Guidance(f32),
    /// `job` is the index of the piece.
    #[error(
        "its logits are not finite at step {step}; the checkpoint is damaged, or its arithmetic overflowed"
    )]
    NotFinite { job: usize, step: usize },
    /// `job` is the index of the piece.
    #[error(
        "its audio is not finite; the codec of the checkpoint is damaged, or its arithmetic overflowed"
    )]
    Audio { job: usize },
}

impl Safe for GenerateError {}

impl GenerateError {
    /// Whether memory ran out: fewer pieces at once may fit.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Session(error) if error.is_out_of_memory())
    }

    /// The same of a piece that was made with no other: nothing smaller can be tried.
    pub(super) fn of_a_piece_alone(self) -> Self {
        match self {
            Self::Session(error) if error.is_out_of_memory() => Self::OutOfMemory(error),
            other => other,
        }
    }

    /// The piece that it is about, by its index among the jobs.
    pub fn job(&self) -> Option<usize> {
        match self {
            Self::Encode { job, .. }
            | Self::LongPrompt { job, .. }
            | Self::NotFinite { job, .. }
            | Self::Audio { job } => Some(*job),
            _ => None,
        }
    }
}

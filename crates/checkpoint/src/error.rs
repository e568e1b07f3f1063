//! What can be wrong with a checkpoint. Every message names the file and the way out.

use std::io;
use std::path::{Path, PathBuf};

use foreign::{Foreign, Words};

/// Why a checkpoint was refused.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("cannot read {}: {source}; check the path and its permissions", path.display())]
    Io { path: PathBuf, source: io::Error },

    /// It is something else than a checkpoint, or a kind of checkpoint that is not read here.
    #[error("cannot read {}: {detail}; {way_out}", path.display())]
    Unsupported {
        path: PathBuf,
        detail: Words,
        way_out: Words,
    },

    /// The bytes contradict each other.
    #[error("cannot read {}: {detail}; it was cut off or damaged, fetch it again", path.display())]
    Damaged { path: PathBuf, detail: Words },

    /// The pickle asks for code. Nothing of it ran.
    #[error(
        "refused to read {}: its pickle calls for `{global}`, which no file of weights needs; nothing was executed. \
         Take the file from its publisher again, or a safetensors version of it",
        path.display()
    )]
    ForbiddenGlobal { path: PathBuf, global: Words },

    /// One tensor is impossible, or not of a type that can be used.
    #[error("cannot read tensor `{tensor}` of {}: {detail}", path.display())]
    Tensor {
        path: PathBuf,
        tensor: Foreign,
        detail: Words,
    },

    /// A tensor was asked for that the file does not hold.
    #[error("{} has no tensor `{tensor}`; `harness inspect` lists what a checkpoint lacks", path.display())]
    NoTensor { path: PathBuf, tensor: Foreign },

    /// The tensors are not those of a CLAP model that is known here.
    #[error("{} cannot be used as a CLAP checkpoint: {detail}", path.display())]
    NotClap { path: PathBuf, detail: Words },

    /// The checkpoint is not of a MusicGen model that is implemented here.
    #[error("{} cannot be used as a MusicGen checkpoint: {detail}", path.display())]
    NotMusicgen { path: PathBuf, detail: Words },

    /// A checkpoint whose tensors do not fit what was asked of it.
    #[error("{} does not fit: {detail}", path.display())]
    Mismatch { path: PathBuf, detail: Words },
}

impl CheckpointError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn unsupported(
        path: &Path,
        detail: impl Into<Words>,
        way_out: impl Into<Words>,
    ) -> Self {
        Self::Unsupported {
            path: path.to_owned(),
            detail: detail.into(),
            way_out: way_out.into(),
        }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<Words>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    pub(super) fn tensor(path: &Path, tensor: &str, detail: impl Into<Words>) -> Self {
        Self::Tensor {
            path: path.to_owned(),
            tensor: Foreign::new(tensor),
            detail: detail.into(),
        }
    }

    pub(super) fn not_clap(path: &Path, detail: impl Into<Words>) -> Self {
        Self::NotClap {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }
}

//! What can be wrong with a checkpoint. Every message names the file and the way out.

use std::io;
use std::path::{Path, PathBuf};

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
        detail: String,
        way_out: String,
    },

    /// The bytes contradict each other.
    #[error("cannot read {}: {detail}; it was cut off or damaged, fetch it again", path.display())]
    Damaged { path: PathBuf, detail: String },

    /// The pickle asks for code. Nothing of it ran.
    #[error(
        "refused to read {}: its pickle calls for `{global}`, which no file of weights needs; nothing was executed. \
         Take the file from its publisher again, or a safetensors version of it",
        path.display()
    )]
    ForbiddenGlobal { path: PathBuf, global: String },

    /// One tensor is impossible, or not of a type that can be used.
    #[error("cannot read tensor `{tensor}` of {}: {detail}", path.display())]
    Tensor {
        path: PathBuf,
        tensor: String,
        detail: String,
    },

    /// A tensor was asked for that the file does not hold.
    #[error("{} has no tensor `{tensor}`; `harness inspect` lists what a checkpoint lacks", path.display())]
    NoTensor { path: PathBuf, tensor: String },

    /// The tensors are not those of a CLAP model that is known here.
    #[error("{} cannot be used as a CLAP checkpoint: {detail}", path.display())]
    NotClap { path: PathBuf, detail: String },

    /// The checkpoint is not of a MusicGen model that is implemented here.
    #[error("{} cannot be used as a MusicGen checkpoint: {detail}", path.display())]
    NotMusicgen { path: PathBuf, detail: String },

    /// A checkpoint whose tensors do not fit what was asked of it.
    #[error("{} does not fit: {detail}", path.display())]
    Mismatch { path: PathBuf, detail: String },
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
        detail: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        Self::Unsupported {
            path: path.to_owned(),
            detail: detail.into(),
            way_out: way_out.into(),
        }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    pub(super) fn tensor(path: &Path, tensor: &str, detail: impl Into<String>) -> Self {
        Self::Tensor {
            path: path.to_owned(),
            tensor: printable(tensor),
            detail: detail.into(),
        }
    }

    pub(super) fn not_clap(path: &Path, detail: impl Into<String>) -> Self {
        Self::NotClap {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }
}

/// A name from a file, fit for a terminal: control characters escaped, at most 120 characters.
pub(super) fn printable(name: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown = String::new();
    for c in name.chars().take(LONGEST) {
        match c.is_control() || c == '`' {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(printable("a.weight\u{1b}[2J"), "a.weight\\u{1b}[2J");
        assert_eq!(printable(&"x".repeat(500)).chars().count(), 121);
    }
}

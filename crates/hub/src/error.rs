//! What can go wrong between a card and its file, each with the way out.

use std::io;
use std::path::{Path, PathBuf};

use files::cache;
use foreign::{Foreign, Safe, Words};

/// Why a file is not here. `file` reads `FILE of REPOSITORY at REVISION`.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("the {what} `{given}` is not {expected}")]
    Name {
        what: &'static str,
        given: Foreign,
        expected: &'static str,
    },
    #[error(
        "{0} is not in the cache, and --offline forbids to download it; run once with a network, or put the file \
         somewhere and use `source: {{ path: ... }}` in the card"
    )]
    Offline(Foreign),
    #[error(
        "cannot reach the hub for {file}: {cause}; check the network, or put the file somewhere and use \
         `source: {{ path: ... }}` in the card, or set HF_HOME to a folder whose cache has it"
    )]
    Unreachable { file: Foreign, cause: Foreign },
    #[error("the hub does not show {file} (401): {}", unauthorised(*.token))]
    Unauthorised { file: Foreign, token: bool },
    #[error("the hub refuses {file} (403): {}", forbidden(*.token))]
    Forbidden { file: Foreign, token: bool },
    #[error("the hub has no {file} (404): {what}; correct the card")]
    NotFound { file: Foreign, what: &'static str },
    #[error("the hub answers {status} for {file}; try again later")]
    Status { file: Foreign, status: u16 },
    #[error(
        "the answer for {file} is not a hub's: {what}; check HF_ENDPOINT and the network's sign-in page"
    )]
    Protocol { file: Foreign, what: Words },
    #[error(
        "the download of {file} was cut off at {have} of {total} bytes and did not go on: {cause}; run again, it goes \
         on from there"
    )]
    CutOff {
        file: Foreign,
        have: u64,
        total: u64,
        cause: Foreign,
    },
    #[error(
        "the bytes of {file} are damaged: the hub states sha256 {stated}, they have {found}; they were removed from \
         the cache, run again to download them anew"
    )]
    Damaged {
        file: Foreign,
        stated: Foreign,
        found: Foreign,
    },
    #[error(
        "{file} is not the file that the card pins: the card has sha256 {pinned}, the file {found}; correct the \
         `sha256` or the `revision` of the card, if you trust this file"
    )]
    PinMismatch {
        file: Foreign,
        pinned: Foreign,
        found: Foreign,
    },
    #[error("{0}")]
    Settings(Words),
    #[error(transparent)]
    NoCacheFolder(#[from] cache::NoCacheFolder),
    #[error("cannot {action} {path}: {}", files::advice(source, "HF_HOME"))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl Safe for HubError {}

impl HubError {
    /// For `map_err`, with the path that it is about.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| HubError::Io {
            action,
            path,
            source,
        }
    }
}

fn unauthorised(token: bool) -> &'static str {
    if token {
        "the token is not valid; set HF_TOKEN to a valid one, or unset it"
    } else {
        "it does not exist, or it is private or gated; check the names in the card, or set HF_TOKEN to a token that \
         may read it"
    }
}

fn forbidden(token: bool) -> &'static str {
    if token {
        "it is gated and the token's owner has no access; accept its terms on the repository's page"
    } else {
        "it is gated; accept its terms on the repository's page and set HF_TOKEN"
    }
}

//! Why there is no library.

use std::io;
use std::path::{Path, PathBuf};

use files::cache;

use super::binary::Unfit;
use super::providers::Provider;

/// Why there is no library, and the way out.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error(
        "ORT_DYLIB_PATH names {0}, which is not a file; set it to a file such as libonnxruntime.so, or unset it and \
         the harness installs its own"
    )]
    NoSuchFile(PathBuf),
    #[error(
        "{path} cannot be opened as ONNX Runtime: {what}; unset ORT_DYLIB_PATH, and the harness installs its own"
    )]
    NotForHere { path: PathBuf, what: Unfit },
    #[error(
        "{path} is ONNX Runtime {version}, which is too old: 1.{needed} or newer is needed; unset ORT_DYLIB_PATH, and \
         the harness installs its own"
    )]
    TooOld {
        path: PathBuf,
        version: String,
        needed: u32,
    },
    #[error(
        "cannot open {path} as ONNX Runtime: {}; {way_out}",
        foreign::Foreign::said(detail)
    )]
    Unusable {
        path: PathBuf,
        detail: String,
        way_out: String,
    },
    #[error(transparent)]
    NoCacheFolder(#[from] cache::NoCacheFolder),
    #[error(
        "ONNX Runtime for {provider} is not installed ({package}), and --offline forbids to install it; run \
         `{setup}` once with a network, {beside}or set ORT_DYLIB_PATH to a library file{passed_over}"
    )]
    Offline {
        provider: Provider,
        package: String,
        setup: String,
        /// What to install beside the program, where it is in a Python environment; may be empty.
        beside: String,
        /// What is here and cannot be used, and why; may be empty.
        passed_over: String,
    },
    #[error(
        "the library in {folder} is damaged: {what}; remove the folder, or run `{setup}` to install it anew"
    )]
    Damaged {
        folder: PathBuf,
        what: String,
        setup: String,
    },
    #[error(
        "{package} has no build for {os} on {arch}; choose another provider (--ep cpu), or set ORT_DYLIB_PATH to a \
         library file built for this machine"
    )]
    NoBuild {
        package: String,
        os: &'static str,
        arch: &'static str,
    },
    #[error(
        "cannot install {package}: {python}, and `uv` was not found; install Python 3 with pip (for example the \
         system's packages python3 and python3-pip) or uv, or set ORT_DYLIB_PATH to an ONNX Runtime library file"
    )]
    NoInstaller { package: String, python: String },
    #[error("cannot install {package}: {advice}\n{command} said:\n{output}")]
    InstallerFailed {
        package: String,
        advice: &'static str,
        command: String,
        output: String,
    },
    #[error(
        "cannot install {package}: its wheel holds no {library}; this is a mistake in the harness, set ORT_DYLIB_PATH \
         to an ONNX Runtime library file meanwhile"
    )]
    NotInWheel {
        package: String,
        library: &'static str,
    },
    #[error("cannot {action} {path}: {}", files::advice(source, "HARNESS_CACHE"))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl LibraryError {
    /// For `map_err`, with the path that it is about.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| LibraryError::Io {
            action,
            path,
            source,
        }
    }
}

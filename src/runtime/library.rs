//! Finds the ONNX Runtime library of a provider: `ORT_DYLIB_PATH`, then the cache, then an installation into the cache.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::install;
use super::providers::{Package, Provider, Wheel};
use crate::{cache, files};

/// A library that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Absolute.
    pub path: PathBuf,
    /// That of the pinned package, or `unknown (ORT_DYLIB_PATH)`: such a file tells its version once it is open.
    pub version: String,
    /// How it came here.
    pub origin: Origin,
    /// Of the file at `path`, taken when it was installed; none for `ORT_DYLIB_PATH`.
    pub sha256: Option<String>,
}

/// How a library came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `ORT_DYLIB_PATH` names it.
    Environment,
    /// An earlier run installed it.
    Cache,
    /// This run installed it.
    Installed,
}

/// Why there is no library, and the way out.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error(
        "ORT_DYLIB_PATH names {0}, which is not a file; set it to a file such as libonnxruntime.so, or unset it and \
         the harness installs its own"
    )]
    NoSuchFile(PathBuf),
    #[error(transparent)]
    NoCacheFolder(#[from] cache::NoCacheFolder),
    #[error(
        "ONNX Runtime for {provider} ({package}) is not installed, and --offline forbids to install it; run \
         `{setup}` once with a network, or set ORT_DYLIB_PATH to a library file"
    )]
    Offline {
        provider: Provider,
        package: String,
        setup: String,
    },
    #[error(
        "the ONNX Runtime library in {folder} is damaged: {what}; remove the folder, or run `{setup}` to install it anew"
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

/// What is looked at: an explicit value, so that tests need not change the process.
#[derive(Debug, Clone)]
pub struct Places {
    /// `ORT_DYLIB_PATH`.
    pub ort_dylib_path: Option<OsString>,
    /// The harness's cache folder.
    pub cache: PathBuf,
    /// Where `python3` and `uv` are looked up; `None`: as the process does.
    pub search_path: Option<OsString>,
}

/// The library of a provider if it is on this machine.
///
/// # Errors
/// When `ORT_DYLIB_PATH` names no file, or the cache is damaged.
pub fn find(provider: Provider) -> Result<Option<Library>, LibraryError> {
    Places::of_process()?.find(provider)
}

/// The library of a provider; installed now, saying so in one line, when it is not here and `offline` is false.
///
/// # Errors
/// Each of [`LibraryError`]; every message names the way out.
pub fn find_or_install(provider: Provider, offline: bool) -> Result<Library, LibraryError> {
    Places::of_process()?.find_or_install(provider, offline)
}

impl Places {
    /// Those of the environment variables.
    ///
    /// # Errors
    /// When there is neither `HARNESS_CACHE` nor a home folder.
    pub fn of_process() -> Result<Self, LibraryError> {
        Ok(Places {
            ort_dylib_path: std::env::var_os("ORT_DYLIB_PATH"),
            cache: cache::folder()?,
            search_path: None,
        })
    }

    /// As [`find`](fn@find).
    pub fn find(&self, provider: Provider) -> Result<Option<Library>, LibraryError> {
        if let Some(named) = self.ort_dylib_path.as_ref().filter(|v| !v.is_empty()) {
            return from_environment(Path::new(named)).map(Some);
        }
        let Some(wheel) = provider.package().wheel() else {
            return Ok(None);
        };
        let folder = self.folder(provider.package(), wheel);
        in_folder(&folder, provider, wheel)
    }

    /// As [`find_or_install`](fn@find_or_install).
    pub fn find_or_install(
        &self,
        provider: Provider,
        offline: bool,
    ) -> Result<Library, LibraryError> {
        match self.find(provider) {
            Ok(Some(library)) => return Ok(library),
            Err(damaged @ LibraryError::Damaged { .. }) if offline => return Err(damaged),
            Ok(None) | Err(LibraryError::Damaged { .. }) => {}
            Err(other) => return Err(other),
        }
        let package = provider.package();
        let wheel = package.wheel().ok_or_else(|| LibraryError::NoBuild {
            package: package.to_string(),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        })?;
        if offline {
            return Err(LibraryError::Offline {
                provider,
                package: package.to_string(),
                setup: provider.setup_command(),
            });
        }
        install::install(&install::Order {
            provider,
            wheel,
            folder: &self.folder(package, wheel),
            search_path: self.search_path.as_deref(),
        })
    }

    fn folder(&self, package: &Package, wheel: &Wheel) -> PathBuf {
        let name = format!("{}-{}-{}", package.name, package.version, wheel.tag);
        self.cache.join("onnxruntime").join(name)
    }
}

fn from_environment(named: &Path) -> Result<Library, LibraryError> {
    if !named.is_file() {
        return Err(LibraryError::NoSuchFile(named.to_owned()));
    }
    Ok(Library {
        path: std::path::absolute(named).map_err(LibraryError::io("find", named))?,
        version: "unknown (ORT_DYLIB_PATH)".to_owned(),
        origin: Origin::Environment,
        sha256: None,
    })
}

/// The name of the record in a folder of the cache.
pub(super) const RECORD: &str = "library.json";

/// What an installation put into its folder, written last.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub package: String,
    pub version: String,
    pub wheel_sha256: String,
    pub files: Vec<Installed>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Installed {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// The library in a folder of the cache; `None` when the folder does not exist.
///
/// Every file must have its recorded size. The hashes are not taken again at each start: 100 MB and more for some builds.
pub(super) fn in_folder(
    folder: &Path,
    provider: Provider,
    wheel: &Wheel,
) -> Result<Option<Library>, LibraryError> {
    let damaged = |what: String| LibraryError::Damaged {
        folder: folder.to_owned(),
        what,
        setup: provider.setup_command(),
    };
    match fs::symlink_metadata(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LibraryError::io("read", folder)(e)),
        Ok(_) => {}
    }
    let record = fs::read(folder.join(RECORD)).map_err(|e| damaged(format!("{RECORD}: {e}")))?;
    let record: Record =
        serde_json::from_slice(&record).map_err(|e| damaged(format!("{RECORD}: {e}")))?;
    if record.wheel_sha256 != wheel.sha256 {
        return Err(damaged("it comes from another wheel".to_owned()));
    }
    for file in &record.files {
        match fs::metadata(folder.join(&file.name)) {
            Ok(found) if found.len() == file.bytes => {}
            Ok(found) => {
                return Err(damaged(format!(
                    "{} has {} bytes, {} were installed",
                    file.name,
                    found.len(),
                    file.bytes
                )));
            }
            Err(e) => return Err(damaged(format!("{}: {e}", file.name))),
        }
    }
    let library = record
        .files
        .into_iter()
        .find(|f| f.name == wheel.library)
        .ok_or_else(|| damaged(format!("{RECORD} does not list {}", wheel.library)))?;
    Ok(Some(Library {
        path: folder.join(wheel.library),
        version: record.version,
        origin: Origin::Cache,
        sha256: Some(library.sha256),
    }))
}

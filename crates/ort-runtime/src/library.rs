//! Finds the ONNX Runtime library of a provider: `ORT_DYLIB_PATH`, then where the machine has what the provider's packages
//! would bring, then the cache, then an installation into the cache.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use files::cache;
use process::progress;
use serde::Serialize;

use super::binary::Unfit;
use super::cached::Part;
use super::elsewhere::Elsewhere;
use super::install;
use super::inventory::{self, Inventory};
use super::providers::{Package, Provider, Wheel};

/// A library that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Absolute.
    pub path: PathBuf,
    /// That of the pinned package, or `unknown (ORT_DYLIB_PATH)`: such a file tells its version once it is open.
    pub version: String,
    /// How it came here.
    pub origin: Origin,
    /// Of the file at `path`, taken when it was installed; none of one that the harness did not install.
    pub sha256: Option<String>,
    /// Libraries to open before it, in this order.
    pub before: Vec<Found>,
}

/// A file, and how it came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute.
    pub path: PathBuf,
    /// How it came here.
    pub origin: Origin,
}

/// How a library came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `ORT_DYLIB_PATH` names it.
    Environment,
    /// It is where the loader looks: `LD_LIBRARY_PATH`, the system's folders.
    Loader,
    /// An earlier run installed it.
    Cache,
    /// It is in a Python environment that is active.
    Python,
    /// This run installed it.
    Installed,
}

impl Origin {
    /// In a few words.
    pub fn about(self) -> &'static str {
        match self {
            Origin::Environment => "ORT_DYLIB_PATH",
            Origin::Loader => "loader's path",
            Origin::Cache | Origin::Installed => "cache",
            Origin::Python => "Python environment",
        }
    }
}

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
         `{setup}` once with a network, or set ORT_DYLIB_PATH to a library file{passed_over}"
    )]
    Offline {
        provider: Provider,
        package: String,
        setup: String,
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

/// What is looked at: an explicit value, so that tests need not change the process.
#[derive(Debug, Clone)]
pub struct Places {
    /// `ORT_DYLIB_PATH`.
    pub ort_dylib_path: Option<OsString>,
    /// The harness's cache folder.
    pub cache: PathBuf,
    /// Where `python3` and `uv` are looked up; `None`: as the process does.
    pub search_path: Option<OsString>,
    /// Where else there may be libraries.
    pub elsewhere: Elsewhere,
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
            elsewhere: Elsewhere::of_process(),
        })
    }

    /// The same without what others installed: the cache alone.
    pub fn own(self) -> Self {
        Self {
            ort_dylib_path: None,
            elsewhere: Elsewhere::default(),
            ..self
        }
    }

    /// The file that `ORT_DYLIB_PATH` names; an empty variable is as good as none.
    pub fn named_library(&self) -> Option<&Path> {
        let named = self.ort_dylib_path.as_ref();
        named.filter(|v| !v.is_empty()).map(Path::new)
    }

    /// As [`find`](fn@find).
    pub fn find(&self, provider: Provider) -> Result<Option<Library>, LibraryError> {
        if let Some(named) = self.named_library() {
            return inventory::named(self, provider, named).map(Some);
        }
        let Some(inventory) = self.inventory(provider)? else {
            return Ok(None);
        };
        match (inventory.library(), inventory.damaged) {
            (Some(library), _) => Ok(Some(library)),
            (None, Some(damaged)) => Err(damaged),
            (None, None) => Ok(None),
        }
    }

    /// What a provider needs and where it is, whatever `ORT_DYLIB_PATH` names; `None` where nobody built it for this machine.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn inventory(&self, provider: Provider) -> Result<Option<Inventory>, LibraryError> {
        let parts = self.parts(provider);
        parts
            .map(|parts| inventory::take(self, provider, &parts))
            .transpose()
    }

    /// The packages of a provider for this machine, that of ONNX Runtime first.
    pub(super) fn parts(&self, provider: Provider) -> Option<Vec<Part>> {
        let main = (provider.package(), provider.wheel()?);
        let beside = provider.entry().beside.iter();
        let all = [Some(main)]
            .into_iter()
            .chain(beside.map(|package| Some((package, package.wheel()?))));
        all.map(|found| {
            let (package, wheel) = found?;
            Some(Part {
                package,
                wheel,
                folder: self.folder(package, wheel),
            })
        })
        .collect()
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
        let no_build = || LibraryError::NoBuild {
            package: package.to_string(),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        };
        let mut parts = self.parts(provider).ok_or_else(no_build)?;
        let inventory = inventory::take(self, provider, &parts)?;
        parts.retain(|part| inventory.lacks(part.package));
        if offline {
            let names: Vec<String> = parts.iter().map(|p| p.package.to_string()).collect();
            return Err(LibraryError::Offline {
                provider,
                package: names.join(", "),
                setup: provider.setup_command(),
                passed_over: inventory.told_passed_over("; ", ""),
            });
        }
        for (path, why) in &inventory.passed_over {
            progress::note(format!("{} is not used: {why}", path.display()));
        }
        let installed = install::install(&install::Order {
            provider,
            parts: &parts,
            root: &self.root(),
            search_path: self.search_path.as_deref(),
        })?;
        let library = self
            .find(provider)?
            .ok_or_else(|| LibraryError::NotInWheel {
                package: package.to_string(),
                library: provider.wheel().map_or("library", |wheel| wheel.library),
            })?;
        Ok(match (library.origin, installed) {
            // Else another process was faster, or ONNX Runtime itself was here.
            (Origin::Cache, 1..) => Library {
                origin: Origin::Installed,
                ..library
            },
            _ => library,
        })
    }

    fn root(&self) -> PathBuf {
        self.cache.join("onnxruntime")
    }

    fn folder(&self, package: &Package, wheel: &Wheel) -> PathBuf {
        let name = format!("{}-{}-{}", package.name, package.version, wheel.tag);
        self.root().join(name)
    }
}

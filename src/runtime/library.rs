//! Finds the ONNX Runtime library of a provider: `ORT_DYLIB_PATH`, then the cache, then an installation into the cache.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::binary::{self, Unfit};
use super::install;
use super::providers::{Package, Provider, Wheel};
use crate::cache;
use crate::files::{self, regular};

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
    /// Libraries to open before it, in this order; absolute. None for `ORT_DYLIB_PATH`, whose owner knows what it needs.
    pub before: Vec<PathBuf>,
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
        crate::wording::Foreign::said(detail)
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
         `{setup}` once with a network, or set ORT_DYLIB_PATH to a library file"
    )]
    Offline {
        provider: Provider,
        package: String,
        setup: String,
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

    /// The file that `ORT_DYLIB_PATH` names; an empty variable is as good as none.
    pub fn named_library(&self) -> Option<&Path> {
        let named = self.ort_dylib_path.as_ref();
        named.filter(|v| !v.is_empty()).map(Path::new)
    }

    /// As [`find`](fn@find).
    pub fn find(&self, provider: Provider) -> Result<Option<Library>, LibraryError> {
        if let Some(named) = self.named_library() {
            return from_environment(named).map(Some);
        }
        let Some(parts) = self.parts(provider) else {
            return Ok(None);
        };
        self.assemble(provider, &parts, Origin::Cache)
    }

    /// What has to be downloaded for a provider, in bytes; 0 when all is here or nobody built it for this machine.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn to_download(&self, provider: Provider) -> Result<u64, LibraryError> {
        let mut bytes = 0;
        for part in self.parts(provider).unwrap_or_default() {
            match in_folder(&part.folder, provider, part.wheel) {
                Ok(Some(_)) => {}
                Ok(None) | Err(LibraryError::Damaged { .. }) => bytes += part.wheel.bytes,
                Err(other) => return Err(other),
            }
        }
        Ok(bytes)
    }

    /// The packages of a provider for this machine, that of ONNX Runtime first.
    fn parts(&self, provider: Provider) -> Option<Vec<Part>> {
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

    /// The library, when every part is whole.
    fn assemble(
        &self,
        provider: Provider,
        parts: &[Part],
        origin: Origin,
    ) -> Result<Option<Library>, LibraryError> {
        let mut records = Vec::with_capacity(parts.len());
        for part in parts {
            match in_folder(&part.folder, provider, part.wheel)? {
                Some(record) => records.push((part, record)),
                None => return Ok(None),
            }
        }
        let Some((main, record)) = records.first() else {
            return Ok(None);
        };
        let path = main.folder.join(main.wheel.library);
        let own = record.files.iter().find(|f| f.name == main.wheel.library);
        let mut before = Vec::new();
        for prefix in provider.entry().preload {
            for (part, record) in &records {
                let named = |f: &&Installed| f.name.starts_with(prefix);
                let files = record.files.iter().filter(named);
                before.extend(files.map(|f| part.folder.join(&f.name)));
            }
        }
        Ok(Some(Library {
            version: record.version.clone(),
            origin,
            sha256: own.map(|f| f.sha256.clone()),
            path,
            before,
        }))
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
        let parts = self.parts(provider).ok_or_else(|| LibraryError::NoBuild {
            package: package.to_string(),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        })?;
        if offline {
            let missing = parts.iter().filter(|p| !p.folder.exists());
            let names: Vec<String> = missing.map(|p| p.package.to_string()).collect();
            return Err(LibraryError::Offline {
                provider,
                package: names.join(", "),
                setup: provider.setup_command(),
            });
        }
        let installed = install::install(&install::Order {
            provider,
            parts: &parts,
            root: &self.root(),
            search_path: self.search_path.as_deref(),
        })?;
        let origin = match installed {
            // Another process was faster.
            0 => Origin::Cache,
            _ => Origin::Installed,
        };
        let library = self.assemble(provider, &parts, origin)?;
        library.ok_or_else(|| LibraryError::NotInWheel {
            package: package.to_string(),
            library: parts[0].wheel.library,
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

/// A package of a provider, and its folder in the cache.
#[derive(Debug)]
pub(super) struct Part {
    pub package: &'static Package,
    pub wheel: &'static Wheel,
    pub folder: PathBuf,
}

fn from_environment(named: &Path) -> Result<Library, LibraryError> {
    if !named.is_file() {
        return Err(LibraryError::NoSuchFile(named.to_owned()));
    }
    let path = std::path::absolute(named).map_err(LibraryError::io("find", named))?;
    if let Some(what) = binary::unfit(&path).map_err(LibraryError::io("read", &path))? {
        return Err(LibraryError::NotForHere { path, what });
    }
    Ok(Library {
        path,
        version: "unknown (ORT_DYLIB_PATH)".to_owned(),
        origin: Origin::Environment,
        sha256: None,
        before: Vec::new(),
    })
}

/// The name of the record in a folder of the cache.
pub(super) const RECORD: &str = "library.json";
/// It takes some kilobytes.
const LARGEST_RECORD: u64 = 16 << 20;

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

/// What is in a package's folder of the cache; `None` when the folder does not exist.
///
/// Every file must have its recorded size. The hashes are not taken again at each start: gigabytes for some providers.
pub(super) fn in_folder(
    folder: &Path,
    provider: Provider,
    wheel: &Wheel,
) -> Result<Option<Record>, LibraryError> {
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
    let record = regular::read(&folder.join(RECORD), LARGEST_RECORD)
        .map_err(|e| damaged(format!("{RECORD}: {e}")))?;
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
    if !record.files.iter().any(|f| f.name == wheel.library) {
        let what = format!("{RECORD} does not list {}", wheel.library);
        return Err(damaged(what));
    }
    let library = folder.join(wheel.library);
    match binary::unfit(&library).map_err(LibraryError::io("read", &library))? {
        Some(what @ Unfit::OtherMachine { .. }) => {
            Err(damaged(format!("{}: {what}", wheel.library)))
        }
        // What is no library at all was installed as such, or its size would have changed: its opening tells.
        Some(Unfit::NoLibrary) | None => Ok(Some(record)),
    }
}

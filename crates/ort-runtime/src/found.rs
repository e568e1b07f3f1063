//! Libraries on this machine, and how they came there.

use std::path::PathBuf;

use serde::Serialize;

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

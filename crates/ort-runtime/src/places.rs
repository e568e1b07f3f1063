//! Where libraries are looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use files::cache;

use super::elsewhere::Elsewhere;
use super::library_error::LibraryError;

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
}

//! Packages in the cache: a folder each, with a record of the files that an installation put there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use files::regular;
use serde::{Deserialize, Serialize};

use super::binary::{self, Unfit};
use super::library_error::LibraryError;
use super::providers::{Package, Provider, Wheel};

/// A package of a provider, and its folder in the cache.
#[derive(Debug)]
pub(super) struct Part {
    pub package: &'static Package,
    pub wheel: &'static Wheel,
    pub folder: PathBuf,
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
        // What is no whole library was installed as such, or its size would have changed: its opening tells.
        Some(Unfit::NoLibrary | Unfit::Damaged) | None => Ok(Some(record)),
    }
}

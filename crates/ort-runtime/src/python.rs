//! Python environments: what is one, and where packages lie in it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Those that exist, each once.
pub(super) fn once(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let there = |folder: &PathBuf| {
        folder.is_absolute() && fs::canonicalize(folder).is_ok_and(|real| seen.insert(real))
    };
    folders.into_iter().filter(there).collect()
}

/// Paths that match a pattern, sorted; none of what cannot be read.
pub(super) fn matching(pattern: &str) -> Vec<PathBuf> {
    glob::glob(pattern).map_or_else(|_| Vec::new(), |paths| paths.flatten().collect())
}

/// What in a folder matches a pattern, sorted.
pub(super) fn matching_in(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let escaped = glob::Pattern::escape(&folder.to_string_lossy());
    matching(&format!("{escaped}/{pattern}"))
}

/// Whether a folder is the root of a virtual environment or one of conda's.
pub(super) fn is_environment(root: &Path) -> bool {
    root.join("pyvenv.cfg").is_file() || root.join("conda-meta").is_dir()
}

/// Where packages lie in an environment: what each version of Python has, the newest first.
pub(super) fn packages(root: &Path) -> Vec<PathBuf> {
    let mut packages = Vec::new();
    for pattern in [
        "lib/python3*/site-packages",
        "local/lib/python3*/dist-packages",
        "lib/python3*/dist-packages",
    ] {
        let mut found = matching_in(root, pattern);
        found.sort_by_key(|path| std::cmp::Reverse(minor(path)));
        packages.extend(found);
    }
    packages
}

/// 11 of `…/lib/python3.11/site-packages`; 0 of Debian's `…/lib/python3/dist-packages`.
fn minor(packages: &Path) -> u32 {
    let name = packages
        .parent()
        .and_then(Path::file_name)
        .and_then(OsStr::to_str);
    let minor = name.and_then(|name| name.strip_prefix("python3."));
    minor
        .and_then(|minor| minor.parse().ok())
        .unwrap_or_default()
}

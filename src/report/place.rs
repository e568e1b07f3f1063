//! Where the page of several runs goes, and how it calls and reaches them.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::ReportError;
use super::load::Run;
use super::sources::address;

/// Each folder once, in the order given.
pub fn distinct(run_dirs: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for folder in run_dirs {
        let real = real(folder);
        if !seen.contains(&real) {
            seen.push(real);
            kept.push(folder.clone());
        }
    }
    kept
}

/// The run's folder; of several, the deepest folder that holds all of them, none of them itself.
pub fn common(runs: &[Run]) -> Result<PathBuf, ReportError> {
    if let [run] = runs {
        return Ok(run.folder.clone());
    }
    let mut shared: Option<PathBuf> = None;
    for run in runs {
        let folder = real(&run.folder);
        let parent = folder.parent().unwrap_or(&folder);
        shared = Some(match shared {
            None => parent.to_owned(),
            Some(shared) => {
                let same = shared.components().zip(parent.components());
                let found: PathBuf = same.take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
                if found.as_os_str().is_empty() {
                    return Err(apart(&runs[0].folder, &run.folder));
                }
                found
            }
        });
    }
    let shared = shared.unwrap_or_default();
    // As the user would write it, where it is at or below the working folder.
    let here = fs::canonicalize(".").unwrap_or_default();
    Ok(match shared.strip_prefix(&here) {
        Ok(inside) if !inside.as_os_str().is_empty() => inside.to_owned(),
        _ => shared,
    })
}

/// Give every run a name of its own, and its address from the page.
pub fn name_and_link(runs: &mut [Run], page: &Path) -> Result<(), ReportError> {
    let folder = page.parent().filter(|p| !p.as_os_str().is_empty());
    let base = real(folder.unwrap_or(Path::new(".")));
    for run in &mut *runs {
        let path = relative(&real(&run.folder), &base).ok_or_else(|| apart(&run.folder, page))?;
        run.address = match path.as_os_str().is_empty() {
            true => String::new(),
            false => address(&path) + "/",
        };
    }
    let mut count: HashMap<String, usize> = HashMap::new();
    for run in &*runs {
        *count.entry(run.label.clone()).or_default() += 1;
    }
    for run in runs {
        if count.get(&run.label).is_some_and(|n| *n > 1) {
            let path = relative(&real(&run.folder), &base).unwrap_or_default();
            run.label = path.to_string_lossy().replace('\\', "/");
        }
    }
    Ok(())
}

fn apart(a: &Path, b: &Path) -> ReportError {
    ReportError::Apart {
        a: a.to_owned(),
        b: b.to_owned(),
    }
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// `path` from `base`; `None` when they are on different disks.
fn relative(path: &Path, base: &Path) -> Option<PathBuf> {
    let shared = path.components().zip(base.components());
    let shared = shared.take_while(|(a, b)| a == b).count();
    let anchored = path.has_root() || base.has_root();
    if shared == 0 && anchored {
        return None;
    }
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    Some(up.chain(path.components().skip(shared)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_from_the_page() {
        let relative = |path: &str, base: &str| relative(Path::new(path), Path::new(base));
        assert_eq!(relative("/w/runs/a", "/w/runs"), Some("a".into()));
        assert_eq!(relative("/w/runs/a", "/w/runs/a"), Some("".into()));
        assert_eq!(
            relative("/w/runs/a", "/w/pages/x"),
            Some("../../runs/a".into())
        );
        assert_eq!(relative("/w", "c"), None);
    }
}

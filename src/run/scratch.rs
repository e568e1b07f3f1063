//! Graphs and library on the node's own disk: copied there by the first task of a node, and read from there by all of them.
//!
//! A library is code. The copies lie in a folder that is the user's alone, since everybody may write to most scratch disks.

use std::fs::{self, DirBuilder, Metadata};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use files::PartFolder;
use foreign::{Foreign, words};
use ort_runtime::library::Library;
use process::progress::note;

use super::making::free_bytes;
use super::ready::{Ready, library_sha256};
use crate::exit::UsageError;

/// Take the graphs of `ready` and the library from copies below `scratch`, made if they are not there.
pub(super) fn localise(scratch: &Path, ready: &mut Ready, library: Library) -> Result<Library> {
    let folder = own_folder(&expanded(scratch)?)?;
    for model in ready.generator.iter_mut().chain(&mut ready.arms) {
        let export = &mut model.export;
        let graphs = export.graphs.values();
        let name: String = graphs
            .map(|graph| format!("{} {} {}\n", graph.file, graph.sha256, graph.weights_sha256))
            .collect();
        let files = listed(&export.folder, |_| true)?;
        export.folder = copied(&folder, &name, &files)?;
    }
    let Some((from, name)) = library.path.parent().zip(library.path.file_name()) else {
        return Ok(library);
    };
    // The libraries of the providers lie beside it.
    let files = listed(from, |name| name.contains("onnxruntime"))?;
    let copy = copied(&folder, &library_sha256(&library)?, &files)?;
    Ok(Library {
        path: copy.join(name),
        ..library
    })
}

/// The folder with a first `$NAME` replaced by what the node has it set to.
fn expanded(scratch: &Path) -> Result<PathBuf, UsageError> {
    let mut parts = scratch.components();
    let first = match parts.next() {
        Some(Component::Normal(first)) => first.to_str(),
        _ => None,
    };
    let Some(name) = first.and_then(|first| first.strip_prefix('$')) else {
        return Ok(scratch.to_owned());
    };
    let name = name.trim_start_matches('{').trim_end_matches('}');
    match std::env::var_os(name).filter(|value| !value.is_empty()) {
        Some(value) => Ok(Path::new(&value).join(parts.as_path())),
        None => Err(UsageError(words!(
            "--local-scratch {}: the variable {} is not set here",
            scratch.display(),
            Foreign::new(name)
        ))),
    }
}

/// A folder in `scratch` that no other user can write to.
fn own_folder(scratch: &Path) -> Result<PathBuf> {
    let cannot = || {
        format!(
            "cannot use {}; name another folder with --local-scratch",
            scratch.display()
        )
    };
    fs::create_dir_all(scratch).with_context(cannot)?;
    let scratch = std::path::absolute(scratch).with_context(cannot)?;
    let mine = tempfile::tempfile_in(&scratch)
        .and_then(|file| file.metadata())
        .with_context(cannot)?;
    let folder = scratch.join(format!("harness-{}", user(&mine)));
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(&folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e).with_context(cannot),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).with_context(cannot)?;
    if !found.is_dir() || user(&found) != user(&mine) || others_write(&found) {
        bail!(
            "{} is not this user's alone, and a library from there would run as this user; remove it, or name another folder \
             with --local-scratch",
            folder.display()
        );
    }
    Ok(folder)
}

#[cfg(unix)]
fn user(meta: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(meta)
}

#[cfg(not(unix))]
fn user(_: &Metadata) -> u32 {
    0
}

#[cfg(unix)]
fn others_write(meta: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(meta) & 0o022 != 0
}

#[cfg(not(unix))]
fn others_write(_: &Metadata) -> bool {
    false
}

/// The regular files of a folder whose names are wanted, with their bytes.
fn listed(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<(PathBuf, u64)>> {
    let cannot = || format!("cannot list {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        // What a link leads to is copied as a file.
        let meta = fs::metadata(&path).with_context(cannot)?;
        if meta.is_file() && name.is_some_and(&wanted) {
            found.push((path, meta.len()));
        }
    }
    Ok(found)
}

/// A folder in `folder` that has copies of `files`; `content` says what is in them. Tasks that come while one copies wait for it.
fn copied(folder: &Path, content: &str, files: &[(PathBuf, u64)]) -> Result<PathBuf> {
    let name = &files::sha256_bytes(content.as_bytes())[..24];
    let target = folder.join(name);
    let cannot = || {
        format!(
            "cannot copy to {}; free some space, or name another folder with --local-scratch",
            target.display()
        )
    };
    let lock = files::lock_file(&folder.join(format!("{name}.lock"))).with_context(cannot)?;
    lock.lock().with_context(cannot)?;
    if target.is_dir() {
        return Ok(target);
    }
    files::sweep(folder).with_context(cannot)?;
    let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let free = free_bytes(folder).with_context(cannot)?;
    if bytes > free {
        let (bytes, free) = (bytes as f64 / 1e6, free as f64 / 1e6);
        return Err(anyhow::anyhow!(
            "{bytes:.1} MB are needed, and {free:.1} MB are free"
        ))
        .with_context(cannot);
    }
    let part = PartFolder::new_in(folder).with_context(cannot)?;
    for (path, bytes) in files {
        let copy = part.path().join(path.file_name().unwrap_or_default());
        let copied = fs::copy(path, &copy).with_context(cannot)?;
        if copied != *bytes {
            bail!("{} changed while it was copied", path.display());
        }
    }
    part.persist(&target).with_context(cannot)?;
    note(format!(
        "{:.1} MB copied to {}",
        bytes as f64 / 1e6,
        target.display()
    ));
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_write_to_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = own_folder(scratch.path()).unwrap();
        assert_eq!(own_folder(scratch.path()).unwrap(), folder);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
            let told = own_folder(scratch.path()).unwrap_err().to_string();
            assert!(told.contains("is not this user's alone"), "{told}");
            fs::remove_dir(&folder).unwrap();
            std::os::unix::fs::symlink(scratch.path(), &folder).unwrap();
            assert!(own_folder(scratch.path()).is_err());
        }
    }

    #[test]
    fn copies_are_made_once_and_whole() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("a.onnx"), "graph").unwrap();
        let files = listed(from.path(), |_| true).unwrap();
        let copy = copied(to.path(), "one", &files).unwrap();
        assert_eq!(fs::read(copy.join("a.onnx")).unwrap(), b"graph");
        fs::remove_file(from.path().join("a.onnx")).unwrap();
        assert_eq!(copied(to.path(), "one", &files).unwrap(), copy);
        assert!(copied(to.path(), "two", &files).is_err());
        let huge = [(from.path().join("a.onnx"), u64::MAX)];
        let told = format!("{:#}", copied(to.path(), "huge", &huge).unwrap_err());
        assert!(told.contains("are needed, and"), "{told}");
        let left: Vec<_> = fs::read_dir(to.path()).unwrap().flatten().collect();
        assert!(
            left.iter().all(|entry| !files::is_part(&entry.path())),
            "{left:?}"
        );
    }

    #[test]
    fn a_variable_of_the_node_names_the_folder() {
        let plain = Path::new("/tmp/x");
        assert_eq!(expanded(plain).unwrap(), plain);
        let home = std::env::var_os("HOME").unwrap();
        for asked in ["$HOME/x", "${HOME}/x"] {
            assert_eq!(
                expanded(Path::new(asked)).unwrap(),
                Path::new(&home).join("x")
            );
        }
        let told = expanded(Path::new("$HARNESS_NONE/x"))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("the variable HARNESS_NONE is not set here"),
            "{told}"
        );
    }
}

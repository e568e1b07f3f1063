//! Files of a folder that was passed on: none of them is followed out of it.
//!
//! Run folders are packed, sent and unpacked by others. A link in one may name any file of whoever opens it, so before a
//! file in such a folder is read, written or made, its way is looked at: a link may lead to another place in the folder,
//! and nowhere else. The folder itself is the user's word, and may be a link.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// The path of `name` in `folder`, whether it exists or not.
///
/// # Errors
/// `PermissionDenied` when a link on the way leads out of the folder or nowhere; `InvalidInput` when `name` itself does,
/// or when what is there is neither a regular file nor a folder.
pub fn inside(folder: &Path, name: impl AsRef<Path>) -> io::Result<PathBuf> {
    let mut path = folder.to_owned();
    let mut real = None;
    for component in name.as_ref().components() {
        let Component::Normal(part) = component else {
            return Err(refused(
                ErrorKind::InvalidInput,
                &path,
                "names no file in its folder",
            ));
        };
        path.push(part);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            // Nothing below it is there either.
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        let mut kind = found.file_type();
        if kind.is_symlink() {
            let root = match &real {
                Some(root) => root,
                None => real.insert(fs::canonicalize(folder)?),
            };
            match fs::canonicalize(&path) {
                Ok(target) if target.starts_with(root) => kind = fs::metadata(&target)?.file_type(),
                _ => {
                    return Err(refused(
                        ErrorKind::PermissionDenied,
                        &path,
                        "is a link out of its folder, which is not followed; remove it",
                    ));
                }
            }
        }
        if !kind.is_file() && !kind.is_dir() {
            return Err(refused(
                ErrorKind::InvalidInput,
                &path,
                "is a device or a pipe, where a regular file is needed; remove it",
            ));
        }
    }
    Ok(path)
}

/// The same for a file that is named by its whole path: nothing leads out of the folder that it stands in.
pub fn in_its_folder(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    inside(
        folder.unwrap_or(Path::new(".")),
        path.file_name().unwrap_or_default(),
    )
}

fn refused(kind: ErrorKind, path: &Path, why: &str) -> io::Error {
    io::Error::new(kind, format!("{} {why}", path.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_in_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("victim"), "kept").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("audio/old")).unwrap();
        fs::write(at("scores.csv"), "").unwrap();
        symlink("scores.csv", at("same.csv")).unwrap();
        symlink(outside.path().join("victim"), at("out.csv")).unwrap();
        symlink(outside.path(), at("figures")).unwrap();
        symlink("/nowhere/at/all", at("dangling")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        symlink("../..", at("audio/up")).unwrap();

        for fine in [
            "scores.csv",
            "same.csv",
            "new.csv",
            "audio/old/new/1.wav",
            "",
        ] {
            assert_eq!(
                inside(folder.path(), fine).unwrap(),
                folder.path().join(fine)
            );
        }
        for refused in [
            "out.csv",
            "figures",
            "figures/new.svg",
            "dangling",
            "zero",
            "audio/up/x",
            "../x",
            "/etc/passwd",
        ] {
            assert!(inside(folder.path(), refused).is_err(), "{refused}");
        }
        // The folder itself may be a link.
        symlink(folder.path(), outside.path().join("runs")).unwrap();
        let linked = outside.path().join("runs");
        assert!(inside(&linked, "same.csv").is_ok());
        assert!(inside(&linked, "out.csv").is_err());
    }

    #[test]
    fn pipes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join("manifest.json"))
            .status();
        assert!(made.unwrap().success());
        let error = inside(folder.path(), "manifest.json").unwrap_err();
        assert!(error.to_string().contains("a device or a pipe"), "{error}");
    }
}

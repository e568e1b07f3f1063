//! Files that are in the program and unpacked into the cache, where everything that takes a path finds them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use files::{cache, regular};
use process::progress::note;

/// Files that belong together: path below their folder, and content.
pub struct Bundle {
    /// Of its folder in the cache.
    pub name: &'static str,
    pub files: &'static [(&'static str, &'static [u8])],
}

impl Bundle {
    /// Unpack it: its folder is named by its content, and every file that is missing or damaged is written anew, whole,
    /// whoever else does so at the same time.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unpack(&self) -> Result<PathBuf> {
        let hashes: Vec<String> = self
            .files
            .iter()
            .map(|(path, bytes)| format!("{path} {}", files::sha256_bytes(bytes)))
            .collect();
        let key = files::sha256_bytes(hashes.join("\n").as_bytes());
        let folder = self.place()?.join(&key[..16]);
        self.unpack_to(&folder).with_context(|| {
            format!(
                "cannot unpack the {} into {}; remove that folder, free some space, or set HARNESS_CACHE to another folder",
                self.name,
                folder.display()
            )
        })?;
        Ok(folder)
    }

    /// Whether `path` lies in what was unpacked.
    pub fn has(&self, path: &Path) -> bool {
        self.place().is_ok_and(|place| path.starts_with(place))
    }

    fn place(&self) -> Result<PathBuf> {
        Ok(cache::folder()?.join(self.name))
    }

    fn unpack_to(&self, folder: &Path) -> io::Result<()> {
        let was_here = folder.is_dir();
        for (name, bytes) in self.files {
            let path = folder.join(name);
            if regular::read(&path, bytes.len() as u64).is_ok_and(|found| found == *bytes) {
                continue;
            }
            if was_here {
                note(format!("{} is damaged and is written anew", path.display()));
            }
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            files::write_bytes(&path, bytes)?;
        }
        Ok(())
    }
}

/// A list of files below a folder of the repository, as [`Bundle::files`] has them.
macro_rules! bundled {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$((
            $path,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder, $path)) as &[u8],
        )),+]
    };
}

pub(crate) use bundled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_or_missing_is_written_anew() {
        let bundle = Bundle {
            name: "test",
            files: &[("a.txt", b"a"), ("below/b.txt", b"b"), ("c.txt", b"c")],
        };
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("unpacked");
        bundle.unpack_to(&folder).unwrap();
        let at = |name: &str| folder.join(name);
        fs::write(at("a.txt"), "{").unwrap();
        fs::remove_file(at("below/b.txt")).unwrap();
        let written = || fs::metadata(at("c.txt")).unwrap().modified().unwrap();
        let kept = written();
        bundle.unpack_to(&folder).unwrap();
        for (name, bytes) in bundle.files {
            assert_eq!(fs::read(at(name)).unwrap(), *bytes, "{name}");
        }
        assert_eq!(written(), kept);
    }
}

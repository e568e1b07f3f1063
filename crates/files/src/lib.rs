//! Whole files or none: everything the harness writes goes to a temporary name in the same folder and is renamed.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

pub mod cache;
mod inside;
mod part;
pub mod regular;
mod state;
pub mod text;
mod whole;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use inside::{in_its_folder, inside};
pub use part::{
    Left, PART, PartFile, PartFolder, is_part, link_or_copy, remove_all, remove_folder, sweep,
    unfinished,
};
use sha2::{Digest, Sha256};
pub use state::State;
pub use whole::WholeFile;

/// An error of the disk with its way out, where `variable` of the environment names the folder that was written to.
pub fn advice(source: &io::Error, variable: &str) -> String {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{source}; free some space, or set {variable} to a folder on a larger disk")
        }
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory => {
            format!("{source}; set {variable} to a folder that can be written")
        }
        _ => source.to_string(),
    }
}

/// Write `path` through `fill`, so that a reader sees the old file or the whole new one, never a part: see [`WholeFile`].
///
/// The bytes are flushed to disk before the rename; when `fill` fails or the disk is full, the temporary file is
/// removed and what stood at `path` stays.
pub fn write_atomic<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut WholeFile) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = WholeFile::create(path)?;
    fill(&mut file)?;
    Ok(file.finish()?)
}

/// What killed processes left in a folder goes when it is first written to. Where that fails, the writing will tell.
fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.insert(folder.to_owned()) {
        let _ = sweep(folder);
    }
}

/// Open a file whose lock stands for a folder's; it is made if it is missing, and nothing is ever written to it.
///
/// # Errors
/// Those of the disk; what is no regular file of the folder itself is refused.
pub fn lock_file(path: &Path) -> io::Result<File> {
    open_own(
        &in_its_folder(path)?,
        File::options().write(true).create(true),
    )
}

/// Open with `options` what is in its folder itself: a link is an error.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} is no regular file", path.display()),
        )),
    }
}

/// Remove a file; that there is none is no error.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// As [`write_atomic`], for bytes at hand.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomic(path, |w| w.write_all(bytes))
}

/// The sha256 of a regular file, in lower-case hex.
pub fn sha256_file(path: &Path) -> io::Result<String> {
    let mut file = regular::open(path)?;
    let mut hash = Sha256::new();
    // Of many small files each would have to be given its megabyte.
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut buffer = vec![0u8; length.clamp(1, 1 << 20)];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// The sha256 of what `fill` writes, in lower-case hex: of what need not be in memory.
///
/// # Errors
/// Those of `fill`.
pub fn sha256_written(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    struct Hash(Sha256);

    impl Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut hash = Hash(Sha256::new());
    fill(&mut hash)?;
    Ok(hex(&hash.0.finalize()))
}

/// The sha256 of some bytes, in lower-case hex.
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        write_bytes(&path, b"old").unwrap();
        let failed: io::Result<()> = write_atomic(&path, |w| {
            w.write_all(b"half of the new")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_into_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        // Open for both, so that neither side waits for the other.
        let both = File::options().read(true).write(true).open(&path);
        let mut reader = both.unwrap();
        write_bytes(&path, b"id,kind").unwrap();
        assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
        let mut read = [0; 7];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"id,kind");
    }

    #[test]
    fn sha256_of_a_file_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, b"abc").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_file(&path).unwrap(), known);
        assert_eq!(sha256_bytes(b"abc"), known);
    }
}

//! Whole files or none: everything the harness writes goes to a temporary name in the same folder and is renamed.

mod inside;
pub mod regular;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

pub use inside::inside;
use sha2::{Digest, Sha256};

/// How the name of everything begins that is being written, files and folders.
pub const PART: &str = ".part-";

/// What in `folder` was being written: under the lock of whoever writes there, what a killed process left.
pub fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PART.as_bytes())
        {
            found.push(entry.path());
        }
    }
    Ok(found)
}

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

/// Write `path` through `fill`, so that a reader sees the old file or the whole new one, never a part.
///
/// The bytes are flushed to disk before the rename; when `fill` fails or the disk is full, the temporary file is
/// removed and what stood at `path` stays. The folder must exist. What is no file (`/dev/null`, a pipe) is written into,
/// never replaced.
pub fn write_atomic<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>,
) -> Result<(), E> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let device = File::options().write(true).open(path)?;
        let mut writer = BufWriter::new(&device);
        fill(&mut writer)?;
        return Ok(writer.flush()?);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let temporary = as_usual(tempfile::Builder::new().prefix(PART))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary.as_file());
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// As [`write_atomic`], for bytes at hand.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomic(path, |w| w.write_all(bytes))
}

/// `tempfile` makes private files; results are as readable as any other file of the user, whose umask says how much.
#[cfg(unix)]
fn as_usual<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn as_usual<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}

/// The sha256 of a file, in lower-case hex.
pub fn sha256_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
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

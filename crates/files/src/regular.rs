//! Files of strangers are read as regular files only, and never beyond a limit: a device has no end, and a named pipe
//! that nobody writes to would be waited for.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Open a regular file for reading.
///
/// # Errors
/// Those of the disk; `InvalidInput` for a device, a pipe, a socket, and `IsADirectory` for a folder.
pub fn open(path: &Path) -> io::Result<File> {
    // What is opened is what is looked at: nobody can put a pipe in its place between the two.
    let file = options().open(path)?;
    let kind = file.metadata()?.file_type();
    match kind {
        kind if kind.is_file() => Ok(file),
        kind if kind.is_dir() => Err(io::Error::new(
            ErrorKind::IsADirectory,
            "it is a folder, and a file is needed here",
        )),
        _ => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a device or a pipe, and a regular file is needed here",
        )),
    }
}

/// Open for reading what a user names: a regular file, or a pipe that somebody writes to, as shells make them. A pipe that
/// nobody writes to is empty, and not waited for.
///
/// # Errors
/// Those of the disk.
pub fn open_or_pipe(path: &Path) -> io::Result<File> {
    let file = options().open(path)?;
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd;
        let fd = file.as_raw_fd();
        // Only the opening was not to wait: a writer that is there is waited for.
        // SAFETY: flags of a file that is open here are read and set.
        let set = unsafe {
            let flags = libc::fcntl(fd, libc::F_GETFL);
            flags >= 0 && libc::fcntl(fd, libc::F_SETFL, flags & !libc::O_NONBLOCK) >= 0
        };
        if !set {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(file)
}

/// For reading; not even a pipe is waited for.
fn options() -> OpenOptions {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    options
}

/// The bytes of a regular file of at most `limit_bytes`; its stated size is not believed.
///
/// # Errors
/// As [`open`], and `FileTooLarge`.
pub fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    read_limited(open(path)?, limit_bytes)
}

/// As [`read`], for text in UTF-8.
///
/// # Errors
/// As [`read`], and `InvalidData`.
pub fn read_text(path: &Path, limit_bytes: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit_bytes)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// What is left of `source`, at most `limit_bytes`.
pub fn read_limited(source: impl Read, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit_bytes {
        false => Ok(bytes),
        true => Err(too_large(limit_bytes)),
    }
}

/// The error of a file above its limit.
pub fn too_large(limit_bytes: u64) -> io::Error {
    io::Error::new(
        ErrorKind::FileTooLarge,
        format!("it holds more than {limit_bytes} bytes, the most for such a file"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_last_size_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            read(folder.path(), 5).unwrap_err().kind(),
            ErrorKind::IsADirectory
        );
        std::fs::write(&path, b"a\xff").unwrap();
        let error = read_text(&path, 5).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_of_the_users_is_read_while_somebody_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let none = open_or_pipe(&pipe).unwrap();
        assert_eq!(read_limited(none, 100).unwrap(), b"");

        let mut writer = File::options().read(true).write(true).open(&pipe).unwrap();
        let reader = open_or_pipe(&pipe).unwrap();
        let read = std::thread::spawn(move || read_limited(reader, 100).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(50));
        io::Write::write_all(&mut writer, b"sweet").unwrap();
        drop(writer);
        assert_eq!(read.join().unwrap(), b"sweet");
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [&pipe, &link] {
            assert_eq!(open(path).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }
}

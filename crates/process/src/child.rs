//! Processes that this one starts: the program is found without the working folder's help, runs in a folder of ours, without
//! what would put other code into it, and ends when this process does.
//!
//! The working folder may be anybody's: a `pip.py`, a `python3`, a `uv.toml` that lies there is nobody's business.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of the children that run; each leads a process group of its own.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call of `program`, looked up in `search_path` (or else `PATH`), in `folder`.
///
/// # Errors
/// `NotFound` when no folder of the path has it. Entries that depend on the working folder (empty, `.`, relative) do not
/// count.
pub fn command(program: &str, folder: &Path, search_path: Option<&OsStr>) -> io::Result<Command> {
    let own = std::env::var_os("PATH");
    let path = search_path.or(own.as_deref()).unwrap_or_default();
    let mut command = prepared(&find(program, path).ok_or(ErrorKind::NotFound)?);
    command.current_dir(folder);
    if let Some(path) = search_path {
        command.env("PATH", path);
    }
    for (name, _) in std::env::vars_os() {
        // What would be imported, or run at the start: the interpreter's own settings are not for us.
        if name.as_encoded_bytes().starts_with(b"PYTHON") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// A call of this program, where it is called now.
///
/// # Errors
/// When the system does not know where its file is.
pub fn again() -> io::Result<Command> {
    Ok(prepared(&std::env::current_exe()?))
}

/// Run to the end and give what it wrote; it reads nothing.
///
/// # Errors
/// When it cannot be started.
pub fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (child, _running) = start(command)?;
    child.wait_with_output()
}

/// Run to the end; it writes where this process does, and reads nothing.
///
/// # Errors
/// When it cannot be started.
pub fn status(command: &mut Command) -> io::Result<ExitStatus> {
    let (mut child, _running) = start(command.stdin(Stdio::null()))?;
    child.wait()
}

/// End every child, and what they started: this process ends.
pub fn end_all() {
    for id in running().iter() {
        end(*id);
    }
}

/// On the list of those that [`end_all`] ends, until it is dropped.
struct Running(u32);

impl Drop for Running {
    fn drop(&mut self) {
        running().remove(&self.0);
    }
}

/// On the thread that waits for it: the system ends the child with that thread.
fn start(command: &mut Command) -> io::Result<(Child, Running)> {
    // Nobody ends the children while one is between its start and the list.
    let mut running = running();
    let child = command.spawn()?;
    running.insert(child.id());
    let listed = Running(child.id());
    Ok((child, listed))
}

#[allow(clippy::disallowed_methods)] // Here is where it is done.
fn prepared(program: &Path) -> Command {
    let mut command = Command::new(program);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }
    #[cfg(target_os = "linux")]
    end_with_us(&mut command);
    command
}

/// However this process ends, `kill -9` included.
#[cfg(target_os = "linux")]
fn end_with_us(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let parent = std::process::id();
    // SAFETY: between fork and exec, only `prctl` and `getppid` are called, which may be.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            match u32::try_from(libc::getppid()) {
                Ok(now) if now == parent => Ok(()),
                // It ended before it was asked for.
                _ => Err(ErrorKind::BrokenPipe.into()),
            }
        });
    }
}

#[cfg(unix)]
fn end(id: u32) {
    if let Ok(group) = i32::try_from(id) {
        // SAFETY: a signal to a group; that it is gone already is no matter.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

#[cfg(not(unix))]
fn end(_: u32) {}

/// The file of a program in a list of folders.
fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    folders
        .map(|folder| folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(file);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, Instant};

    use super::*;

    fn script(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn only_absolute_folders_of_the_path_count() {
        let (good, bad) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        script(good.path(), "tool", "echo good");
        fs::write(bad.path().join("tool"), "no program").unwrap();
        let path = |folders: &[&Path]| std::env::join_paths(folders).unwrap();
        let all = path(&[
            Path::new(""),
            Path::new("."),
            Path::new("bin"),
            bad.path(),
            good.path(),
        ]);
        assert_eq!(find("tool", &all), Some(good.path().join("tool")));
        assert_eq!(find("tool", &path(&[Path::new("."), Path::new("")])), None);
        let made = command("tool", bad.path(), Some(&path(&[bad.path()])));
        assert_eq!(made.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn it_runs_in_its_folder_and_is_ended_with_what_it_started() {
        let (bin, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        script(bin.path(), "tool", "pwd -P; env | grep -c ^PYTHON");
        let path =
            std::env::join_paths([bin.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let out = output(&mut command("tool", folder.path(), Some(&path)).unwrap()).unwrap();
        let real = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(
            String::from_utf8(out.stdout).unwrap(),
            format!("{}\n0\n", real.display())
        );

        script(bin.path(), "slow", "sleep 60 & wait");
        let began = Instant::now();
        let slow = command("slow", folder.path(), Some(&path));
        let ended = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| output(&mut slow.unwrap()).unwrap());
            while running().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(100));
            end_all();
            waiting.join().unwrap()
        });
        assert_eq!(ended.status.code(), None);
        // Its own child held the pipe open.
        assert!(began.elapsed() < Duration::from_secs(30));
        assert!(running().is_empty());
    }
}

//! What is being written: files and folders with a name that says so, held by a lock as long as their process lives.
//!
//! A process that is killed takes its locks with it, so whoever comes next can tell what nobody holds, and removes it:
//! [`sweep`]. A process that ends by a signal removes its own: [`remove_all`].

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile, TempDir};

/// How the name of everything begins that is being written, files and folders. No other program's names do: what begins
/// so may be removed.
pub const PART: &str = ".part-harness-";

/// Where locks are not to be had (some network file systems), a part that nobody touched for so long is nobody's.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// Of this process; `None` once it ends.
static HELD: Mutex<Option<BTreeSet<PathBuf>>> = Mutex::new(Some(BTreeSet::new()));

/// A path among those that [`remove_all`] removes, until it is dropped.
#[derive(Debug)]
struct Listed(PathBuf);

impl Listed {
    /// What `make` makes, and its path on the list: at no moment is one without the other.
    fn make<T>(
        make: impl FnOnce() -> io::Result<T>,
        path: impl FnOnce(&T) -> &Path,
    ) -> io::Result<(T, Self)> {
        let mut held = held();
        let Some(list) = held.as_mut() else {
            drop(held);
            // The process ends, and nothing is begun any more.
            loop {
                std::thread::park();
            }
        };
        let made = make()?;
        // From the root: the working folder is not for ever.
        let path = path(&made);
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        list.insert(path.clone());
        Ok((made, Self(path)))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(list) = held().as_mut() {
            list.remove(&self.0);
        }
    }
}

fn held() -> MutexGuard<'static, Option<BTreeSet<PathBuf>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is being written. It is removed when this is dropped before it got its name.
#[derive(Debug)]
pub struct PartFile {
    file: NamedTempFile,
    _listed: Listed,
}

impl PartFile {
    /// In `folder`, as readable as the user's umask lets it be.
    pub fn new_in(folder: &Path) -> io::Result<Self> {
        loop {
            let make = || as_usual(Builder::new().prefix(PART)).tempfile_in(folder);
            let (file, listed) = Listed::make(make, NamedTempFile::path)?;
            if is_ours(file.as_file(), file.path())? {
                return Ok(Self {
                    file,
                    _listed: listed,
                });
            }
        }
    }

    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Give it its name, in place of what stands there.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        self.file.persist(path).map_err(|e| e.error)?;
        Ok(())
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.as_file().flush()
    }
}

/// A folder that is being filled. It is removed when this is dropped before it got its name.
#[derive(Debug)]
pub struct PartFolder {
    folder: TempDir,
    // Open, and so locked, as long as the folder is used.
    _lock: Option<File>,
    _listed: Listed,
}

impl PartFolder {
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        loop {
            let make = || folder_as_usual(Builder::new().prefix(PART)).tempdir_in(parent);
            let (folder, listed) = Listed::make(make, TempDir::path)?;
            let lock = match File::open(folder.path()) {
                Ok(lock) => Some(lock),
                // A sweep was faster.
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                // Where a folder cannot be opened as a file, it has no lock.
                Err(_) => None,
            };
            let ours = match &lock {
                Some(lock) => is_ours(lock, folder.path())?,
                None => true,
            };
            if ours {
                return Ok(Self {
                    folder,
                    _lock: lock,
                    _listed: listed,
                });
            }
        }
    }

    /// In the folder for temporary files, which `TMPDIR` names.
    ///
    /// # Errors
    /// Those of the disk, with that folder and the way out in words.
    pub fn temporary() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        super::sweep_once(&parent);
        Self::new_in(&parent).map_err(|e| {
            let advice = super::advice(&e, "TMPDIR");
            let way_out = match e.kind() {
                ErrorKind::NotFound => "; make it, or set TMPDIR to a folder that exists",
                _ => "",
            };
            let place = parent.display();
            let told = format!("cannot make a temporary folder in {place}: {advice}{way_out}");
            io::Error::new(e.kind(), told)
        })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Give it its name; where one stands there already, this fails and the folder is removed.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        fs::rename(self.folder.path(), path)?;
        // Nothing is left under the old name.
        let _ = self.folder.keep();
        Ok(())
    }
}

/// Give the file `source` the name `path` too, in place of what stands there, on the same disk.
pub fn link(source: &Path, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // The lock is that of the file, whatever its name: the new one is not swept before it is renamed.
    let lock = File::open(source)?;
    let _ = lock.lock_shared();
    let link = Builder::new()
        .prefix(PART)
        .make_in(folder, |path| fs::hard_link(source, path))?;
    link.into_temp_path().persist(path).map_err(|e| e.error)
}

/// As [`link`], or as a copy where the disk has no links, or is another one.
pub fn link_or_copy(source: &Path, path: &Path) -> io::Result<()> {
    match link(source, path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => crate::write_atomic(path, |out| {
            io::copy(&mut File::open(source)?, out)?;
            Ok(())
        }),
        linked => linked,
    }
}

/// Lock what was just made; false when a [`sweep`] was faster, which saw it before it was locked.
fn is_ours(file: &File, path: &Path) -> io::Result<bool> {
    match file.lock() {
        Ok(()) => Ok(path.exists()),
        // Without locks nothing so young is swept.
        Err(_) => Ok(true),
    }
}

/// `tempfile` makes private files; results are as readable as any other file of the user, whose umask says how much.
#[cfg(unix)]
fn as_usual<'b, 'p, 's>(builder: &'b mut Builder<'p, 's>) -> &'b mut Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(unix)]
fn folder_as_usual<'b, 'p, 's>(builder: &'b mut Builder<'p, 's>) -> &'b mut Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o777))
}

#[cfg(not(unix))]
fn as_usual<'b, 'p, 's>(builder: &'b mut Builder<'p, 's>) -> &'b mut Builder<'p, 's> {
    builder
}

#[cfg(not(unix))]
fn folder_as_usual<'b, 'p, 's>(builder: &'b mut Builder<'p, 's>) -> &'b mut Builder<'p, 's> {
    builder
}

/// What lies in a folder unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub path: PathBuf,
    /// Of the file, or of everything in the folder.
    pub bytes: u64,
    /// A living process is at work on it.
    pub held: bool,
}

/// Everything unfinished in `folder`; a folder that does not exist has nothing.
pub fn unfinished(folder: &Path) -> io::Result<Vec<Left>> {
    let mut left = Vec::new();
    for path in parts(folder)? {
        let lock = free(&path)?;
        left.push(Left {
            bytes: bytes_of(&path),
            held: lock.is_none(),
            path,
        });
    }
    Ok(left)
}

/// Remove what killed processes left in `folder` (not in folders below it); a folder that does not exist has nothing.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for path in parts(folder)? {
        // Held until it is removed, so that it is nobody else's meanwhile.
        let Some(_lock) = free(&path)? else {
            continue;
        };
        let removed = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => remove_folder(&path),
            Ok(_) => fs::remove_file(&path),
            Err(e) => Err(e),
        };
        match removed.map_err(|e| (e.kind(), e)) {
            // Another user's is for that user to remove.
            Ok(()) | Err((ErrorKind::NotFound | ErrorKind::PermissionDenied, _)) => {}
            Err((_, e)) => return Err(e),
        }
    }
    Ok(())
}

/// Remove what this process was writing, and begin nothing any more: it ends now, and its other threads are still at it.
pub fn remove_all() {
    let paths = held().take();
    for path in paths.into_iter().flatten() {
        // Nobody is left to hear of a failure; whoever comes next tries again.
        let _ = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => remove_folder(&path),
            _ => fs::remove_file(&path),
        };
    }
}

/// Also when another thread or a child process that is about to end still writes into it.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    const TRIES: u32 = 20;
    for _ in 0..TRIES {
        match fs::remove_dir_all(path) {
            Err(e) if e.kind() == ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            other => return other,
        }
    }
    fs::remove_dir_all(path)
}

/// Whether the name is that of something unfinished.
pub fn is_part(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(PART.as_bytes())
}

fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if is_part(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The lock of a part that no living process holds.
fn free(path: &Path) -> io::Result<Option<Option<File>>> {
    let found = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_file() && !found.is_dir() {
        // We make no such thing.
        return Ok(Some(None));
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        // Another user's, or a system on which folders cannot be opened.
        Err(_) => return Ok(is_forgotten(&found).then_some(None)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(Some(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(_)) => Ok(is_forgotten(&found).then_some(None)),
    }
}

fn is_forgotten(found: &fs::Metadata) -> bool {
    let age = found.modified().ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age > FORGOTTEN)
}

fn bytes_of(path: &Path) -> u64 {
    let Ok(found) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !found.is_dir() {
        return found.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes_of(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn what_a_living_process_holds_stays_and_the_rest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let file = PartFile::new_in(folder.path()).unwrap();
        let held = PartFolder::new_in(folder.path()).unwrap();
        fs::write(held.path().join("weights"), "12345").unwrap();
        fs::write(at(".part-harness-dead"), "123").unwrap();
        fs::create_dir(at(".part-harness-gone")).unwrap();
        fs::write(at(".part-harness-gone/x"), "1234").unwrap();
        fs::write(at(".part-of-another-program"), "").unwrap();

        let mut left = unfinished(folder.path()).unwrap();
        left.sort_by_key(|left| left.bytes);
        let told: Vec<(u64, bool)> = left.iter().map(|left| (left.bytes, left.held)).collect();
        assert_eq!(told, [(0, true), (3, false), (4, false), (5, true)]);

        sweep(folder.path()).unwrap();
        assert!(file.file.path().exists() && held.path().join("weights").exists());
        assert_eq!(names(folder.path()).len(), 3);
        assert!(at(".part-of-another-program").exists());

        held.persist(&at("whole")).unwrap();
        drop(file);
        let mut names = names(folder.path());
        names.sort();
        assert_eq!(names, [".part-of-another-program", "whole"]);
    }

    #[test]
    fn what_is_just_made_is_not_swept_by_others() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for i in 0..300 {
                        let held = PartFolder::new_in(folder.path()).unwrap();
                        sweep(folder.path()).unwrap();
                        fs::write(held.path().join("x"), [0; 9]).unwrap();
                        let file = PartFile::new_in(folder.path()).unwrap();
                        file.persist(&held.path().join(i.to_string())).unwrap();
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_folder_that_is_not_there_has_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("none");
        sweep(&none).unwrap();
        assert_eq!(unfinished(&none).unwrap(), []);
    }

    #[cfg(unix)]
    #[test]
    fn the_umask_says_who_may_read_and_a_link_is_not_followed() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let mode = fs::metadata(&plain).unwrap().mode();
        let part = PartFile::new_in(folder.path()).unwrap();
        assert_eq!(part.as_file().metadata().unwrap().mode(), mode);
        let made = PartFolder::new_in(folder.path()).unwrap();
        let made = fs::metadata(made.path()).unwrap().permissions().mode();
        fs::create_dir(folder.path().join("folder")).unwrap();
        let usual = fs::metadata(folder.path().join("folder")).unwrap().mode();
        assert_eq!(made, usual);

        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("victim"), "").unwrap();
        symlink(outside.path(), folder.path().join(".part-harness-link")).unwrap();
        sweep(folder.path()).unwrap();
        assert!(outside.path().join("victim").exists());
        assert!(!folder.path().join(".part-harness-link").exists());
    }
}

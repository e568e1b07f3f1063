//! The pieces of a run in its own folder `audio/`, so that the folder can be moved, packed and listened to anywhere.
//!
//! A piece that lies elsewhere comes as a hard link, or as a copy where the disk cannot link. Where a piece comes from is told by
//! `scores.csv`, which may be a stranger's: nothing is brought in that does not decode as sound, and no name leaves `audio/`.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::ReportError;
use super::html::segment;
use super::load::Run;
use super::waveform::{self, Waveform};

const AUDIO: &str = "audio";
/// Longest id that is a file's name [bytes]; systems allow 255 with the ending.
const LONGEST_NAME: usize = 200;
/// How many folders above the run's are searched for a path that was relative to the working folder of the run.
const ABOVE: usize = 4;

/// A piece of one set (or of none).
pub type Key<'r> = (Option<&'r str>, &'r str);

/// What became of a piece's sound file.
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    /// In `audio/`.
    Here {
        /// From the run folder, percent-encoded.
        address: String,
        wave: Waveform,
    },
    /// Why there is no player.
    Missing(String),
}

/// Bring every piece of `run` into its folder; what each looks like.
///
/// # Errors
/// Only when `audio/` cannot be written. A piece that is missing or damaged is [`Sound::Missing`].
pub fn bring(run: &Run) -> Result<HashMap<Key<'_>, Sound>, ReportError> {
    let mut wanted: Vec<(Key<'_>, PathBuf, Option<PathBuf>)> = Vec::new();
    let mut seen = HashSet::new();
    let mut taken = HashSet::new();
    let made_here = run.manifest.get("generation").is_some_and(|g| !g.is_null());
    for row in &run.scores {
        let key = (row.set.as_deref(), row.id.as_str());
        if !seen.insert(key) {
            continue;
        }
        let source = find(&run.folder, Path::new(&row.audio_path), made_here);
        let target = target(key, Path::new(&row.audio_path), &mut taken);
        wanted.push((key, target, source));
    }
    let brought = wanted.into_par_iter().map(|(key, target, source)| {
        let sound = bring_one(&run.folder, &target, source.as_deref())?;
        Ok((key, sound))
    });
    brought.collect()
}

/// The file that a row of `scores.csv` names, if it is there.
fn find(run_dir: &Path, path: &Path, made_here: bool) -> Option<PathBuf> {
    let is_file = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.is_file());
    if path.as_os_str().is_empty() {
        return None;
    }
    let own = run_dir.join(path);
    if made_here || path.is_absolute() {
        return Some(own).filter(is_file);
    }
    let above = fs::canonicalize(run_dir).unwrap_or_else(|_| run_dir.to_owned());
    let above = above
        .ancestors()
        .skip(1)
        .take(ABOVE)
        .map(|folder| folder.join(path));
    std::iter::once(path.to_owned())
        .chain(above)
        .chain(std::iter::once(own))
        .find(is_file)
}

/// Where a piece goes, from the run folder. `taken` has the names given so far, in lower case: two of them must not be one file
/// on a disk that does not tell cases apart.
fn target(key: Key<'_>, source: &Path, taken: &mut HashSet<PathBuf>) -> PathBuf {
    let (set, id) = key;
    let mut folder = PathBuf::from(AUDIO);
    if let Some(set) = set {
        folder.push(safe(set));
    }
    let ending = source
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_lowercase);
    let ending = ending
        .filter(|e| (1..=8).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_alphanumeric()))
        .unwrap_or_else(|| "wav".to_owned());
    let name = |stem: &str| folder.join(format!("{stem}.{ending}"));
    let plain = name(&safe(id));
    let lower = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
    if taken.insert(lower(&plain)) {
        return plain;
    }
    let hashed = name(&short_hash(id));
    taken.insert(lower(&hashed));
    hashed
}

/// A stranger's name as the name of a file on every system: itself where it can be, or a hash.
fn safe(name: &str) -> String {
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME;
    let plain = |c: char| !c.is_control() && !"/\\:*?\"<>|".contains(c);
    let ends = name.starts_with('.') || name.ends_with(['.', ' ']);
    match fits && !ends && name.chars().all(plain) {
        true => name.to_owned(),
        false => short_hash(name),
    }
}

fn short_hash(name: &str) -> String {
    files::sha256_bytes(name.as_bytes())[..16].to_owned()
}

fn bring_one(run_dir: &Path, target: &Path, source: Option<&Path>) -> Result<Sound, ReportError> {
    let there = run_dir.join(target);
    let failed = |source| ReportError::Audio {
        path: there.clone(),
        source,
    };
    // Before anything is made below it.
    let folder = target.parent().unwrap_or(Path::new(AUDIO));
    files::inside(run_dir, folder).map_err(failed)?;
    let (file, placed) = match source {
        // A piece that the run made itself stays where it is, whatever its name.
        Some(source) => match own(run_dir, source) {
            Some(own) => (source.to_owned(), Some(own)),
            None => (source.to_owned(), None),
        },
        // The source is gone: an earlier report may have kept it.
        None if there.is_file() => (there.clone(), Some(target.to_owned())),
        None => return Ok(Sound::Missing("the sound file is not there".to_owned())),
    };
    if let Some(own) = &placed
        && let Err(error) = files::inside(run_dir, own)
    {
        return Ok(Sound::Missing(error.to_string()));
    }
    let wave = match waveform::read(&file) {
        Ok(wave) => wave,
        Err(error) => {
            return Ok(Sound::Missing(format!(
                "the sound file cannot be read: {}",
                error.fault
            )));
        }
    };
    let placed = match placed {
        Some(placed) => placed,
        None => {
            place(&file, &there).map_err(failed)?;
            target.to_owned()
        }
    };
    Ok(Sound::Here {
        address: address(&placed),
        wave,
    })
}

/// The path of a file from the run folder, when it lies in its `audio/`.
fn own(run_dir: &Path, file: &Path) -> Option<PathBuf> {
    let audio = fs::canonicalize(run_dir.join(AUDIO)).ok()?;
    // The file's folder, not the file: a link in `audio/` is there for us.
    let folder = fs::canonicalize(file.parent()?).ok()?;
    let inside = folder.strip_prefix(audio).ok()?;
    let plain = inside
        .components()
        .all(|c| matches!(c, Component::Normal(_)));
    plain.then(|| {
        Path::new(AUDIO)
            .join(inside)
            .join(file.file_name().unwrap_or_default())
    })
}

/// A relative path as an address.
pub fn address(path: &Path) -> String {
    let segments = path.components().map(|c| match c {
        Component::Normal(name) => segment(&name.to_string_lossy()),
        Component::ParentDir => "..".to_owned(),
        _ => ".".to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Make `there` the same file as `source`, or one of the same bytes.
fn place(source: &Path, there: &Path) -> io::Result<()> {
    let source = fs::canonicalize(source)?;
    if same(&source, there)? {
        return Ok(());
    }
    let folder = there.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    files::link_or_copy(&source, there)
}

/// Whether two files are one, or hold the same bytes.
fn same(source: &Path, there: &Path) -> io::Result<bool> {
    let (a, b) = match (fs::metadata(source)?, fs::symlink_metadata(there)) {
        (a, Ok(b)) => (a, b),
        (_, Err(e)) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        (_, Err(e)) => return Err(e),
    };
    if !b.is_file() || a.len() != b.len() {
        return Ok(false);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (a.dev(), a.ino()) == (b.dev(), b.ino()) {
            return Ok(true);
        }
    }
    let (mut a, mut b) = (File::open(source)?, File::open(there)?);
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let n = a.read(&mut left)?;
        if n == 0 {
            return Ok(true);
        }
        // Of equal length, unless it shrinks while we read.
        if b.read_exact(&mut right[..n]).is_err() || left[..n] != right[..n] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_folder() {
        let mut taken = HashSet::new();
        let mut name = |set: Option<&str>, id: &str, path: &str| {
            address(&target((set, id), Path::new(path), &mut taken))
        };
        assert_eq!(
            name(None, "sweet_01", "x/sweet_01.WAV"),
            "audio/sweet_01.wav"
        );
        assert_eq!(
            name(None, "=1+1 é", "a.flac"),
            "audio/%3D1%2B1%20%C3%A9.flac"
        );
        assert_eq!(name(Some("old"), "1", "a.mp3"), "audio/old/1.mp3");
        assert_eq!(
            name(None, "Sweet_01", "a.wav").len(),
            "audio/.wav".len() + 16
        );
        for id in [
            "../../etc/passwd",
            "..",
            ".part-x",
            "a\\b",
            "",
            "a\u{0}b",
            "CON:",
            &"x".repeat(201),
        ] {
            let name = name(Some("../up"), id, "a.w a/v");
            assert_eq!(
                name.len(),
                "audio/0123456789abcdef/0123456789abcdef.wav".len(),
                "{name}"
            );
            assert!(!name.contains("..") && name.starts_with("audio/"), "{name}");
        }
    }

    #[test]
    fn files_are_linked_once_and_replaced_when_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let (source, there) = (
            folder.path().join("a.wav"),
            folder.path().join("audio/x.wav"),
        );
        fs::write(&source, b"one").unwrap();
        place(&source, &there).unwrap();
        place(&source, &there).unwrap();
        assert_eq!(fs::read(&there).unwrap(), b"one");
        fs::remove_file(&source).unwrap();
        fs::write(&source, b"two").unwrap();
        assert!(!same(&source, &there).unwrap());
        place(&source, &there).unwrap();
        assert_eq!(fs::read(&there).unwrap(), b"two");
        assert_eq!(
            fs::read_dir(folder.path().join("audio")).unwrap().count(),
            1
        );
        // A copy of the same bytes is left alone.
        fs::remove_file(&there).unwrap();
        fs::write(&there, b"two").unwrap();
        assert!(same(&source, &there).unwrap());
    }
}

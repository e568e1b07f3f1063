//! One process at work on a share: its folder, what it is, and how it ended.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};
use std::{fs, str};

use anyhow::{Context, Result, bail};
use files::regular;
use foreign::words;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::folder::cannot_use;
use super::SHARDS;
use super::host::Host;
use crate::exit::UsageError;
use crate::experiment::{Identity, Parts};
use crate::shard::Shard;

/// What the process is: written before it computes.
pub(super) const HEADER: &str = "attempt.json";
/// How it ended: written last.
const ENDED: &str = "ended.json";
/// Of either file [bytes].
const LARGEST: u64 = 1 << 20;
/// Attempts that begin in one second on one machine with one number; a process has but one.
const MOST_OF_A_SECOND: usize = 1000;

/// What an attempt is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::run) struct Header {
    pub shard: Shard,
    /// Of this program.
    pub version: String,
    /// That of the run.
    pub identity: String,
    /// A hash of each setting that is in the identity, to say which one differs.
    pub parts: Parts,
    pub host: Host,
    pub provider: String,
    pub precision: String,
    pub threads: usize,
    /// Pieces of the share, and lines that its journal will have of pieces, clips and texts.
    pub pieces: usize,
    pub lines: usize,
    /// UTC.
    pub started: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::run) struct Ended {
    pub how: How,
    /// What it said last, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// UTC.
    pub finished: String,
    pub seconds: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::run) enum How {
    /// The share is computed.
    Done,
    /// A signal came, and what was finished is saved.
    Interrupted,
    Failed,
}

/// An attempt of which a run has taken something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::run) struct Taken {
    #[serde(flatten)]
    pub header: Header,
    /// `None`: it did not say, as when its machine died.
    pub ended: Option<Ended>,
    /// Attempts at its share.
    pub attempts: usize,
}

/// An attempt that this process makes, or one that was found.
#[derive(Debug, Clone)]
pub(in crate::run) struct Attempt {
    pub folder: PathBuf,
    pub header: Header,
    pub ended: Option<Ended>,
}

impl Attempt {
    /// Whether it has computed its share.
    pub fn is_done(&self) -> bool {
        self.ended
            .as_ref()
            .is_some_and(|ended| ended.how == How::Done)
    }
}

/// This process's own.
pub(in crate::run) struct Own {
    pub attempt: Attempt,
    clock: Instant,
}

impl Own {
    /// Make the folder of an attempt in the run folder `run`, which is nobody else's.
    pub fn begin(run: &Path, header: Header) -> Result<Self> {
        let share = Path::new(SHARDS).join(header.shard.folder());
        let share = files::inside(run, share).with_context(|| cannot_use(run))?;
        fs::create_dir_all(&share).with_context(|| cannot_use(&share))?;
        let time: String = header
            .started
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let host: String = header.host.name.chars().map(plain).take(60).collect();
        for n in 0..MOST_OF_A_SECOND {
            let more = if n == 0 {
                String::new()
            } else {
                format!("-{n}")
            };
            let folder = share.join(format!("{time}-{host}-{}{more}", header.host.pid));
            match fs::create_dir(&folder) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
                made => made.with_context(|| cannot_use(&folder))?,
            }
            write(&folder.join(HEADER), &header).with_context(|| cannot_use(&folder))?;
            return Ok(Self {
                attempt: Attempt {
                    folder,
                    header,
                    ended: None,
                },
                clock: Instant::now(),
            });
        }
        bail!("cannot make a folder of its own in {}", share.display())
    }

    /// Say how it ended.
    pub fn end(&self, how: How, error: Option<String>) -> io::Result<()> {
        let ended = Ended {
            how,
            error,
            finished: now(),
            seconds: self.clock.elapsed().as_secs(),
        };
        write(&self.attempt.folder.join(ENDED), &ended)
    }
}

/// The time as records have it, UTC.
pub(in crate::run) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// A letter of a folder's name.
fn plain(letter: char) -> char {
    match letter.is_ascii_alphanumeric() || letter == '.' {
        true => letter,
        false => '_',
    }
}

fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    files::write_bytes(path, &serde_json::to_vec_pretty(value)?)
}

/// A file of an attempt; `None` where it is not there yet.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let read = files::in_its_folder(path).and_then(|path| regular::read(&path, LARGEST));
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    let value = str::from_utf8(&bytes).map_err(anyhow::Error::from);
    value
        .and_then(|text| Ok(serde_json::from_str(text)?))
        .map(Some)
        .with_context(|| {
            format!(
                "cannot read {}; remove its folder, and what it finished is computed again",
                path.display()
            )
        })
}

/// The shares that the run folder `run` has a folder of, in their order.
pub(in crate::run) fn shares(run: &Path) -> Result<Vec<Shard>> {
    let names = names(&run.join(SHARDS))?;
    let mut found: Vec<Shard> = names
        .iter()
        .filter_map(|name| Shard::of_folder(name))
        .collect();
    found.sort_by_key(|shard| (shard.of(), shard.index()));
    Ok(found)
}

/// The attempts at a share in the order in which they began by the clock of the disk, since those of machines may be apart; one
/// that has just begun is not there yet.
pub(in crate::run) fn attempts(run: &Path, shard: Shard) -> Result<Vec<Attempt>> {
    let share = Path::new(SHARDS).join(shard.folder());
    let share = files::inside(run, share).with_context(|| cannot_use(run))?;
    let mut found = Vec::new();
    for name in names(&share)? {
        let folder = files::inside(&share, &name).with_context(|| cannot_use(&share))?;
        if !folder.is_dir() {
            continue;
        }
        if let Some(header) = read::<Header>(&folder.join(HEADER))? {
            let ended = read(&folder.join(ENDED))?;
            let began = fs::metadata(folder.join(HEADER)).and_then(|meta| meta.modified());
            let attempt = Attempt {
                folder,
                header,
                ended,
            };
            found.push((began.ok(), attempt));
        }
    }
    // Of one moment, by their names.
    found.sort_by_key(|(began, _)| *began);
    Ok(found.into_iter().map(|(_, attempt)| attempt).collect())
}

/// Whether `folder` has a share of other settings than those of `identity`, or one that does not say whose it is.
pub(in crate::run) fn has_others(folder: &Path, identity: &Identity) -> bool {
    let Ok(shares) = shares(folder) else {
        return true;
    };
    shares
        .into_iter()
        .any(|shard| match attempts(folder, shard) {
            Ok(found) => found.iter().any(|a| a.header.identity != identity.full()),
            Err(_) => true,
        })
}

/// That the run folder has shares of no other number than `shard` is one of.
pub(in crate::run) fn check_count(folder: &Path, shard: Shard) -> Result<()> {
    match shares(folder)?.iter().find(|other| other.of() != shard.of()) {
        None => Ok(()),
        Some(other) => Err(UsageError(words!(
            "{} holds shares of {}, and {} is one of {}; go on with {} shares, or put those together first: the same command \
             without --shard",
            folder.display(),
            other.of(),
            shard,
            shard.of(),
            other.of()
        ))
        .into()),
    }
}

/// The names in a folder, sorted; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(|| format!("cannot list {}", folder.display())),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

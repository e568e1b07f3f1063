//! How far the shares of a run are.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::de::IgnoredAny;

use super::attempt::{Attempt, HEADER, How, attempts, shares};
use crate::run::folder::{JOURNAL, cannot_use};
use crate::run::lines::Lines;
use crate::shard::Shard;
use crate::tables::manifest::MANIFEST;

/// After so long without a line, an attempt that did not say how it ended has died, or is at one that takes long.
const QUIET: Duration = Duration::from_secs(600);

/// How far a run is.
#[derive(Debug)]
pub struct Status {
    /// Its shares are put together.
    pub finished: bool,
    /// Of how many there are.
    pub shares: Vec<(Shard, State)>,
    /// Lines of all journals that are there, and that the shares which have begun will have.
    pub lines: usize,
    pub of_lines: usize,
    /// Lines a second of the attempts that are under way, together.
    pub rate: f64,
}

/// How far a share is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Done,
    /// So many of so many lines are there, and for so long none has come.
    UnderWay {
        lines: usize,
        of: usize,
        host: String,
        quiet: Duration,
    },
    /// Ended by a signal, with so much saved.
    Interrupted {
        lines: usize,
        of: usize,
    },
    /// With the last that it said.
    Failed(String),
    /// Nobody has begun it.
    Missing,
}

/// Of the run in `run`; `None` when it has no shares.
///
/// # Errors
/// When they cannot be read.
pub fn status(run: &Path) -> Result<Option<Status>> {
    let begun = shares(run)?;
    let Some(of) = begun.iter().map(|shard| shard.of()).max() else {
        return Ok(None);
    };
    let now = disk_time(run);
    let mut status = Status {
        finished: run.join(MANIFEST).exists(),
        shares: Vec::new(),
        lines: 0,
        of_lines: 0,
        rate: 0.0,
    };
    for index in 1..=of {
        let Ok(shard) = Shard::new(index, of) else {
            continue;
        };
        let found = attempts(run, shard)?;
        let state = status.add(&found, now)?;
        status.shares.push((shard, state));
    }
    Ok(Some(status))
}

impl Status {
    fn add(&mut self, attempts: &[Attempt], now: SystemTime) -> Result<State> {
        let Some(last) = attempts.last() else {
            return Ok(State::Missing);
        };
        let mut lines = 0;
        for attempt in attempts {
            let path = attempt.folder.join(JOURNAL);
            let count = Lines::read(&path, |_: IgnoredAny| {
                lines += 1;
                true
            });
            count.with_context(|| cannot_use(&attempt.folder))?;
        }
        let of = last.header.lines;
        // Lines that say where graphs ran come beside them, and two copies of a task write some twice.
        lines = lines.min(of);
        self.of_lines += of;
        if attempts.iter().any(Attempt::is_done) {
            self.lines += of;
            return Ok(State::Done);
        }
        self.lines += lines;
        let Some(ended) = &last.ended else {
            let changed = fs::metadata(last.folder.join(JOURNAL)).and_then(|m| m.modified());
            let made = fs::metadata(&last.folder).and_then(|m| m.modified());
            let quiet = changed
                .or(made)
                .ok()
                .and_then(|time| now.duration_since(time).ok());
            let began = fs::metadata(last.folder.join(HEADER)).and_then(|m| m.modified());
            let seconds = began.ok().and_then(|time| now.duration_since(time).ok());
            if let Some(seconds) = seconds.filter(|s| s.as_secs() > 0) {
                self.rate += lines as f64 / seconds.as_secs_f64();
            }
            return Ok(State::UnderWay {
                lines,
                of,
                host: last.header.host.name.clone(),
                quiet: quiet.unwrap_or_default(),
            });
        };
        Ok(match ended.how {
            How::Failed => State::Failed(ended.error.clone().unwrap_or_default()),
            _ => State::Interrupted { lines, of },
        })
    }

    /// How long the rest takes at the rate of those that are under way; `None` where none is.
    pub fn left(&self) -> Option<Duration> {
        let left = self.of_lines.saturating_sub(self.lines);
        let seconds = left as f64 / self.rate;
        (self.rate > 0.0 && seconds < 1e9).then(|| Duration::from_secs(seconds as u64))
    }
}

impl State {
    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Done => "done".to_owned(),
            Self::UnderWay {
                lines,
                of,
                host,
                quiet,
            } => {
                let quiet = match *quiet >= QUIET {
                    true => format!("; nothing for {} min: dead?", quiet.as_secs() / 60),
                    false => String::new(),
                };
                format!("under way on {host}, {lines} of {of}{quiet}")
            }
            Self::Interrupted { lines, of } => format!("interrupted, {lines} of {of}"),
            Self::Failed(error) => format!("failed: {error}"),
            Self::Missing => "missing".to_owned(),
        }
    }
}

/// Now, as the disk of `folder` has it: the clocks of machines may be apart. Of a folder that cannot be written, this machine's.
fn disk_time(folder: &Path) -> SystemTime {
    let time = tempfile::tempfile_in(folder).and_then(|file| file.metadata()?.modified());
    time.unwrap_or_else(|_| SystemTime::now())
}

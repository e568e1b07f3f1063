//! The summaries of `stats.csv`, found by what they are about.

use std::collections::HashMap;
use std::path::PathBuf;

use analysis::Summary;
use foreign::words;
use foreign::{Foreign, Words};

use super::FigureError;
use super::run::Run;
use crate::labels::Word;
use crate::tables::StatsRow;
use crate::tables::stats::Kind;

/// Kind, arm, second arm or nothing, taste.
type Key<'s> = (Kind, &'s str, &'s str, &'s str);

/// The rows of `stats.csv` by what they are about.
pub struct Summaries<'s> {
    rows: HashMap<Key<'s>, &'s StatsRow>,
    path: PathBuf,
    /// Whether groups are those of a sample, and summaries of all pieces.
    sampled: bool,
    word: &'s Word,
}

impl<'s> Summaries<'s> {
    pub fn new(stats: &'s [StatsRow], path: PathBuf, run: &Run<'s>) -> Self {
        let key = |r: &'s StatsRow| {
            (
                r.kind,
                r.arm.as_str(),
                r.arm_b.as_deref().unwrap_or(""),
                r.taste.as_str(),
            )
        };
        Self {
            rows: stats.iter().map(|row| (key(row), row)).collect(),
            path,
            sampled: run.sampled,
            word: run.word(),
        }
    }

    /// The summary of a group of `n` values; `None` when the group is empty.
    pub fn of(&self, key: Key<'_>, n: usize) -> Result<Option<Summary>, FigureError> {
        if n == 0 {
            return Ok(None);
        }
        let found = self.rows.get(&key).map(|row| row.summary());
        let fits = |all: usize| all == n || self.sampled && all > n;
        if found.is_some_and(|summary| fits(summary.n)) {
            return Ok(found);
        }
        let (_, arm, arm_b, taste) = key;
        let against = match arm_b {
            "" => Words::none(),
            arm_b => words!(" against {}", Foreign::new(arm_b)),
        };
        let has = found.map_or("no row".into(), |s| words!("n = {}", s.n));
        let what = words!(
            "for arm {}{}, {} {}, it has {} where n = {} is needed",
            Foreign::new(arm),
            against,
            self.word.said("taste"),
            Foreign::new(taste),
            has,
            n
        );
        Err(FigureError::Stale {
            path: self.path.clone(),
            what,
        })
    }
}

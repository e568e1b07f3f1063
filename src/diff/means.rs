//! `stats.csv` of two runs: how far their means lie apart.

use std::fmt::{self, Display};

use super::DiffError;
use super::join::{Table, join};
use super::side::Side;
use super::words::shown;
use crate::labels::Word;
use crate::tables::stats::Kind;
use crate::tables::{self, Row, StatsRow};

/// The means of `stats.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanChange {
    /// Rows that both have.
    pub n: usize,
    /// The largest change B - A, and of what; `None` when they share no row.
    pub largest: Option<(f64, String)>,
    pub only_in_a: usize,
    pub only_in_b: usize,
}

/// What a row of `stats.csv` is about.
#[derive(Clone, PartialEq, Eq, Hash)]
struct About {
    kind: Kind,
    arm: String,
    arm_b: Option<String>,
    taste: String,
    /// For labels; that of A, in both.
    word: Word,
}

impl foreign::Safe for About {}

impl Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Arm => "scores",
            Kind::Pair => "differences",
            Kind::Within => "draws within their prompts",
            Kind::Between => "means of the prompts",
        };
        write!(f, "{what} of {}", shown(&self.arm))?;
        if let Some(arm_b) = &self.arm_b {
            write!(f, " minus {}", shown(arm_b))?;
        }
        write!(f, ", {} {}", self.word.said("taste"), shown(&self.taste))
    }
}

/// `None` when one of the runs has no `stats.csv`.
pub(super) fn of(a: &Side, b: &Side) -> Result<Option<MeanChange>, DiffError> {
    if !a.has_stats || !b.has_stats {
        return Ok(None);
    }
    let table = |side: &Side| -> Result<_, DiffError> {
        let path = side.at(StatsRow::FILE);
        Ok(Table {
            rows: tables::rows::<StatsRow>(&path, &side.word)?,
            name: path.display().to_string(),
        })
    };
    let word = &a.word;
    let about = |row: &StatsRow| About {
        word: word.clone(),
        kind: row.kind,
        arm: row.arm.clone(),
        arm_b: row.arm_b.clone(),
        taste: row.taste.clone(),
    };
    let mut n = 0;
    let mut largest: Option<(f64, String)> = None;
    let alone = join(table(a)?, table(b)?, about, |about, _, a, b| {
        n += 1;
        let change = b.mean - a.mean;
        if largest
            .as_ref()
            .is_none_or(|(most, _)| change.abs() > most.abs())
        {
            largest = Some((change, about.to_string()));
        }
    })?;
    Ok(Some(MeanChange {
        n,
        largest,
        only_in_a: alone.a.len(),
        only_in_b: alone.b.len(),
    }))
}

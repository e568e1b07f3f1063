//! Score rows put in order: by arm, by taste, by pair of arms.

use std::collections::{HashMap, HashSet};

use foreign::Foreign;
use thiserror::Error;

use crate::labels::Labels;
use crate::tables::scores::{ScoreRow, as_written};

/// Stands for "every taste" where a table or a figure says which taste a row is about.
pub const ALL: &str = "all";
/// With fewer pieces than this, an interval is hardly more than a guess.
pub const FEW: usize = 8;
/// Most tastes that stay readable side by side in a figure.
pub const MOST_TASTES: usize = 20;

/// Why rows of scores cannot be summarised.
#[derive(Debug, Error, PartialEq)]
pub enum StatsError {
    #[error("piece {id} has two scores under arm {arm}: give every piece an id of its own")]
    Twice { arm: Foreign, id: Foreign },
    #[error("the score of piece {id} under arm {arm} is {score}: scores must be finite numbers")]
    NotFinite {
        arm: Foreign,
        id: Foreign,
        score: f64,
    },
    #[error(
        "piece {id} has the label `all`, which stands for all pieces together: rename that label"
    )]
    Reserved { id: Foreign },
}

/// A score as statistics see it, a tenth of a row of `scores.csv` in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score<'a> {
    /// See [`ScoreRow::condition`].
    pub condition: &'a str,
    pub arm: &'a str,
    pub id: &'a str,
    /// Empty when the piece has none.
    pub taste: &'a str,
    /// Of a generated piece.
    pub prompt_id: Option<&'a str>,
    pub clap_score: f64,
}

/// What statistics are computed of.
pub trait Scored {
    fn score(&self) -> Score<'_>;
}

impl Scored for Score<'_> {
    fn score(&self) -> Score<'_> {
        *self
    }
}

impl Scored for ScoreRow {
    fn score(&self) -> Score<'_> {
        Score {
            condition: self.condition(),
            arm: &self.arm,
            id: &self.id,
            taste: &self.taste,
            prompt_id: self.prompt_id.as_deref(),
            clap_score: self.clap_score,
        }
    }
}

/// One piece under one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece<'a> {
    pub id: &'a str,
    /// Empty when the piece has none.
    pub taste: &'a str,
    /// The CLAP score as `scores.csv` has it, so that statistics of the file and of the rows in memory agree.
    pub score: f64,
}

/// One arm, or one set of pieces under an arm, with its pieces in the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm<'a> {
    /// The condition: see [`ScoreRow::condition`].
    pub name: &'a str,
    /// The arm that scored them, which is the name itself unless sets are compared.
    pub scorer: &'a str,
    pub pieces: Vec<Piece<'a>>,
}

impl Arm<'_> {
    /// Whether the two can be compared piece by piece: two arms on the same pieces, or two sets under the same arm.
    pub fn compares_with(&self, other: &Self) -> bool {
        let (sets, theirs) = (self.scorer != self.name, other.scorer != other.name);
        (!sets && !theirs) || self.scorer == other.scorer
    }

    /// The scores of one taste, or of every piece for [`ALL`].
    pub fn scores(&self, taste: &str) -> Vec<f64> {
        let chosen = self.pieces.iter().filter(|p| is_in(p.taste, taste));
        chosen.map(|p| p.score).collect()
    }

    /// Scores `(self, other)` of the pieces that both arms have, in the order of this arm.
    pub fn paired_with(&self, other: &Arm<'_>, taste: &str) -> (Vec<f64>, Vec<f64>) {
        // Most arms have the same pieces in the same order.
        let (own, their) = (self.pieces.iter(), other.pieces.iter());
        if own.map(|p| p.id).eq(their.map(|p| p.id)) {
            let both = self.pieces.iter().zip(&other.pieces);
            let chosen = both.filter(|(p, _)| is_in(p.taste, taste));
            return chosen.map(|(p, theirs)| (p.score, theirs.score)).unzip();
        }
        let theirs: HashMap<&str, f64> = other.pieces.iter().map(|p| (p.id, p.score)).collect();
        let chosen = self.pieces.iter().filter(|p| is_in(p.taste, taste));
        chosen
            .filter_map(|p| theirs.get(p.id).map(|score| (p.score, *score)))
            .unzip()
    }
}

fn is_in(taste: &str, chosen: &str) -> bool {
    chosen == ALL || taste == chosen
}

/// The rows by arm, arms in the order in which they first appear.
pub fn by_arm<S: Scored>(rows: &[S]) -> Result<Vec<Arm<'_>>, StatsError> {
    let mut arms: Vec<Arm<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for row in rows.iter().map(Scored::score) {
        let (arm, id) = (row.condition, row.id);
        if !row.clap_score.is_finite() {
            let (arm, id, score) = (Foreign::new(arm), Foreign::new(id), row.clap_score);
            return Err(StatsError::NotFinite { arm, id, score });
        }
        if row.taste == ALL {
            return Err(StatsError::Reserved {
                id: Foreign::new(id),
            });
        }
        let place = *places.entry(arm).or_insert(arms.len());
        if place == arms.len() {
            let pieces = Vec::new();
            arms.push(Arm {
                name: arm,
                scorer: row.arm,
                pieces,
            });
        }
        arms[place].pieces.push(Piece {
            id,
            taste: row.taste,
            score: as_written(row.clap_score),
        });
    }
    for arm in &arms {
        let mut seen = HashSet::with_capacity(arm.pieces.len());
        if let Some(twice) = arm.pieces.iter().find(|piece| !seen.insert(piece.id)) {
            let (arm, id) = (Foreign::new(arm.name), Foreign::new(twice.id));
            return Err(StatsError::Twice { arm, id });
        }
    }
    Ok(arms)
}

/// The tastes that occur, in the order of the run's labels.
pub fn tastes<'r, S: Scored>(rows: &'r [S], labels: &Labels) -> Vec<&'r str> {
    labels.sorted(rows.iter().map(|row| row.score().taste))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::scores::row;

    #[test]
    fn arms_pair_by_piece_whatever_the_order() {
        let rows = [
            row("1", "b", "sweet", 0.5),
            row("1", "a", "sweet", 0.1),
            row("2", "a", "sour", 0.2),
            row("3", "a", "sweet", 0.3),
            row("3", "b", "sweet", 0.75),
        ];
        let arms = by_arm(&rows).unwrap();
        assert_eq!((arms[0].name, arms[1].name), ("b", "a"));
        let pairs = arms[1].paired_with(&arms[0], ALL);
        assert_eq!(pairs, (vec![0.1, 0.3], vec![0.5, 0.75]));
        assert_eq!(arms[1].paired_with(&arms[0], "sour"), (vec![], vec![]));
    }

    #[test]
    fn a_piece_scored_twice_is_refused() {
        let rows = [row("1", "a", "sweet", 0.5), row("1", "a", "sour", 0.1)];
        let error = by_arm(&rows).unwrap_err().to_string();
        assert!(
            error.contains("piece 1 has two scores under arm a"),
            "{error}"
        );
        assert!(by_arm(&[row("1", "a", "x", f64::NAN)]).is_err());
        assert!(by_arm(&[row("1", "a", "all", 0.0)]).is_err());
    }
}

//! `stats.csv`: one tidy table of summaries of arms (`kind` = `arm`), of paired differences (`kind` = `pair`), and, where
//! prompts have several draws, of what differs within a prompt and between prompts (`kind` = `within`, `between`).

use analysis::paired::Paired;
use analysis::summary::Summary;
use serde::{Deserialize, Serialize};

use super::cell::text;
use super::summary::with_summary;
use super::table::{Row, correlation, drawn, finite, share};

/// What a row of `stats.csv` is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The scores of one arm.
    #[default]
    Arm,
    /// The differences `arm` - `arm_b`, piece by piece.
    Pair,
    /// How far the draws of a prompt lie from their mean; `sd` is pooled over the prompts.
    Within,
    /// The means of the prompts' draws; `n` is the number of prompts.
    Between,
}

with_summary! {
    /// One group of pieces. From `n` to `ci_high` the columns describe what `kind` says: scores, differences, deviations or
    /// means; the columns after them belong to pairs and are empty otherwise. See [`Summary`] and [`Paired`].
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct StatsRow {
        pub kind: Kind,
        #[serde(with = "text")]
        pub arm: String,
        #[serde(with = "text::option")]
        pub arm_b: Option<String>,
        /// A taste, or `all`.
        #[serde(with = "text")]
        pub taste: String,
    }
    summary
    {
        #[serde(with = "share::option")]
        pub wins: Option<f64>,
        #[serde(with = "finite::option")]
        pub cohens_d: Option<f64>,
        #[serde(with = "correlation::option")]
        pub pearson_r: Option<f64>,
        #[serde(with = "correlation::option")]
        pub kendall_tau_b: Option<f64>,
        #[serde(with = "share::option")]
        pub t_p: Option<f64>,
        #[serde(with = "share::option")]
        pub wilcoxon_p: Option<f64>,
        /// `t_p` corrected by Holm over the tastes of this pair of arms; empty for `all`, which is a test of its own.
        #[serde(with = "share::option")]
        pub t_p_holm: Option<f64>,
        /// `wilcoxon_p` corrected in the same way.
        #[serde(with = "share::option")]
        pub wilcoxon_p_holm: Option<f64>,
    }
}

impl Row for StatsRow {
    const FILE: &'static str = "stats.csv";
}

impl StatsRow {
    /// A row about the scores of `arm`.
    pub fn of_arm(arm: &str, taste: &str, summary: &Summary) -> Self {
        Self::of(Kind::Arm, arm, taste, summary)
    }

    /// A row about one arm.
    pub fn of(kind: Kind, arm: &str, taste: &str, summary: &Summary) -> Self {
        Self {
            kind,
            arm: arm.to_owned(),
            taste: taste.to_owned(),
            ..Self::of_summary(summary)
        }
    }

    /// A row about the differences `arm` - `arm_b`.
    pub fn of_pair(arm: &str, arm_b: &str, taste: &str, comparison: &Paired) -> Self {
        Self {
            kind: Kind::Pair,
            arm_b: Some(arm_b.to_owned()),
            wins: Some(comparison.wins),
            cohens_d: comparison.cohens_d,
            pearson_r: comparison.pearson_r,
            kendall_tau_b: comparison.kendall_tau_b,
            t_p: comparison.t_p,
            wilcoxon_p: comparison.wilcoxon_p,
            ..Self::of_arm(arm, taste, &comparison.differences)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};
    use analysis::paired;

    #[test]
    fn rows_come_back_with_empties_where_nothing_is_defined() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(StatsRow::FILE);
        let one = paired(&[0.5], &[0.25], 0, "x").unwrap();
        let many = paired(&[0.5, 0.1, 0.3], &[0.25, 0.2, 1.0 / 3.0], 0, "x").unwrap();
        let rows = [
            StatsRow::of_arm("on", "all", &one.differences),
            StatsRow::of_pair("on", "off", "sweet", &one),
            StatsRow::of_pair("on", "off", "all", &many),
        ];
        assert_columns(&rows[0]);
        write(&path, &rows, &Word::default()).unwrap();
        assert_eq!(read::<StatsRow>(&path, &Word::default()).unwrap(), rows);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("arm,on,,all,1,0.25,,0.25,0.25,0.25,0.25,0.25,,,,,,,,,,\n"));
        assert!(!text.to_lowercase().contains("nan"));
    }
}

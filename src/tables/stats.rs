//! `stats.csv`: one tidy table of summaries of arms (`kind` = `arm`), of paired differences (`kind` = `pair`), and, where
//! prompts have several draws, of what differs within a prompt and between prompts (`kind` = `within`, `between`).

use analysis::paired::Paired;
use analysis::summary::Summary;
use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, correlation, drawn, finite, share};

/// What a row of `stats.csv` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The scores of one arm.
    Arm,
    /// The differences `arm` - `arm_b`, piece by piece.
    Pair,
    /// How far the draws of a prompt lie from their mean; `sd` is pooled over the prompts.
    Within,
    /// The means of the prompts' draws; `n` is the number of prompts.
    Between,
}

/// One group of pieces. From `n` to `ci_high` the columns describe what `kind` says: scores, differences, deviations or
/// means; the columns after them belong to pairs and are empty otherwise. See [`Summary`] and [`Paired`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatsRow {
    pub kind: Kind,
    #[serde(with = "text")]
    pub arm: String,
    #[serde(with = "text::option")]
    pub arm_b: Option<String>,
    /// A taste, or `all`.
    #[serde(with = "text")]
    pub taste: String,
    pub n: usize,
    #[serde(with = "drawn")]
    pub mean: f64,
    #[serde(with = "drawn::option")]
    pub sd: Option<f64>,
    #[serde(with = "drawn")]
    pub min: f64,
    #[serde(with = "drawn")]
    pub q1: f64,
    #[serde(with = "drawn")]
    pub median: f64,
    #[serde(with = "drawn")]
    pub q3: f64,
    #[serde(with = "drawn")]
    pub max: f64,
    #[serde(with = "drawn::option")]
    pub ci_low: Option<f64>,
    #[serde(with = "drawn::option")]
    pub ci_high: Option<f64>,
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

impl Row for StatsRow {
    const FILE: &'static str = "stats.csv";
    const COLUMNS: &'static [&'static str] = &[
        "kind",
        "arm",
        "arm_b",
        "taste",
        "n",
        "mean",
        "sd",
        "min",
        "q1",
        "median",
        "q3",
        "max",
        "ci_low",
        "ci_high",
        "wins",
        "cohens_d",
        "pearson_r",
        "kendall_tau_b",
        "t_p",
        "wilcoxon_p",
        "t_p_holm",
        "wilcoxon_p_holm",
    ];
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
            arm_b: None,
            taste: taste.to_owned(),
            n: summary.n,
            mean: summary.mean,
            sd: summary.sd,
            min: summary.min,
            q1: summary.q1,
            median: summary.median,
            q3: summary.q3,
            max: summary.max,
            ci_low: summary.ci_low,
            ci_high: summary.ci_high,
            wins: None,
            cohens_d: None,
            pearson_r: None,
            kendall_tau_b: None,
            t_p: None,
            wilcoxon_p: None,
            t_p_holm: None,
            wilcoxon_p_holm: None,
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

    /// The summary that the row holds.
    pub fn summary(&self) -> Summary {
        Summary {
            n: self.n,
            mean: self.mean,
            sd: self.sd,
            min: self.min,
            q1: self.q1,
            median: self.median,
            q3: self.q3,
            max: self.max,
            ci_low: self.ci_low,
            ci_high: self.ci_high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        write(&path, &rows).unwrap();
        assert_eq!(read::<StatsRow>(&path).unwrap(), rows);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("arm,on,,all,1,0.25,,0.25,0.25,0.25,0.25,0.25,,,,,,,,,,\n"));
        assert!(!text.to_lowercase().contains("nan"));
    }
}

//! `draws.csv`: the spread of the scores over the draws of each prompt.

use analysis::summary::Summary;
use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, drawn};

/// The draws of one prompt under one arm: see [`Summary`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrawsRow {
    #[serde(with = "text")]
    pub arm: String,
    #[serde(with = "text")]
    pub prompt_id: String,
    /// Empty when the prompt has none.
    #[serde(with = "text")]
    pub taste: String,
    /// Draws.
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
}

impl Row for DrawsRow {
    const FILE: &'static str = "draws.csv";
    const COLUMNS: &'static [&'static str] = &[
        "arm",
        "prompt_id",
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
    ];
}

impl DrawsRow {
    /// A row about the scores of one prompt's draws.
    pub fn new(arm: &str, prompt_id: &str, taste: &str, summary: &Summary) -> Self {
        Self {
            arm: arm.to_owned(),
            prompt_id: prompt_id.to_owned(),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::table::{read, tests::assert_columns, write};
    use analysis::summarise;

    #[test]
    fn one_draw_has_no_spread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DrawsRow::FILE);
        let summaries = [[0.5, 0.25].as_slice(), &[0.125]].map(|v| summarise(v, 0, "x").unwrap());
        let rows = summaries.map(|summary| DrawsRow::new("on", "7", "sweet", &summary));
        assert_columns(&rows[0]);
        write(&path, &rows).unwrap();
        assert_eq!(read::<DrawsRow>(&path).unwrap(), rows);
        let text = std::fs::read_to_string(&path).unwrap();
        let one = "on,7,sweet,1,0.125,,0.125,0.125,0.125,0.125,0.125,,\n";
        assert!(text.ends_with(one), "{text}");
    }
}

//! `windows.csv` and `window_spread.csv`: the scores of the parts of pieces that were heard in windows.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::scores::six_decimals;
use super::table::{LARGEST_WITH_EMBEDDINGS, Row, drawn, finite};

/// A window of a piece under an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRow {
    #[serde(with = "text")]
    pub id: String,
    /// Empty when the piece has none.
    #[serde(with = "text")]
    pub taste: String,
    #[serde(with = "text")]
    pub arm: String,
    /// Of an experiment that compares sets of pieces: the set under its arm, as tables and figures call it.
    #[serde(default, with = "text::option")]
    pub condition: Option<String>,
    /// From 1.
    pub window: usize,
    /// Where it begins in the piece [s].
    #[serde(with = "finite")]
    pub start_s: f64,
    /// Cosine of the window's embedding and the prompt's, -1 to 1.
    #[serde(
        serialize_with = "six_decimals",
        deserialize_with = "drawn::deserialize"
    )]
    pub clap_score: f64,
}

impl WindowRow {
    /// What tables and figures group by: the arm, or a set of pieces under an arm.
    pub fn condition(&self) -> &str {
        self.condition.as_deref().unwrap_or(&self.arm)
    }
}

impl Row for WindowRow {
    const FILE: &'static str = "windows.csv";
    const LARGEST: u64 = LARGEST_WITH_EMBEDDINGS;

    fn columns() -> Vec<&'static str> {
        let mut all = Self::all_columns();
        all.retain(|column| *column != "condition");
        all
    }

    fn header(first: Option<&Self>) -> Vec<&'static str> {
        match first.is_some_and(|row| row.condition.is_some()) {
            true => Self::all_columns(),
            false => Self::columns(),
        }
    }
}

/// How much windows differ within a piece, against how much pieces differ, of one arm or set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowSpreadRow {
    #[serde(with = "text")]
    pub condition: String,
    pub pieces: usize,
    pub windows: usize,
    /// Standard deviation of the windows' scores around the mean of their piece, pooled over the pieces; empty when no piece has
    /// two.
    #[serde(with = "finite::option")]
    pub sd_within: Option<f64>,
    /// Standard deviation of the pieces' scores; empty of one piece.
    #[serde(with = "finite::option")]
    pub sd_pieces: Option<f64>,
}

impl Row for WindowSpreadRow {
    const FILE: &'static str = "window_spread.csv";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};

    #[test]
    fn windows_are_written_and_read_and_have_a_condition_where_sets_are_compared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(WindowRow::FILE);
        let mut row = WindowRow {
            id: "a".into(),
            taste: "sweet".into(),
            arm: "on".into(),
            condition: None,
            window: 2,
            start_s: 2.5,
            clap_score: 0.25,
        };
        assert_columns(&row);
        write(&path, std::slice::from_ref(&row), &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "id,taste,arm,window,start_s,clap_score\na,sweet,on,2,2.5,0.250000\n"
        );
        assert_eq!(
            read::<WindowRow>(&path, &Word::default()).unwrap(),
            [row.clone()]
        );
        row.condition = Some("base".into());
        write(&path, std::slice::from_ref(&row), &Word::default()).unwrap();
        assert_eq!(read::<WindowRow>(&path, &Word::default()).unwrap(), [row]);
    }
}

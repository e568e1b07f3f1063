//! The CSV of `harness diff --out`: every row of two runs, side by side.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, finite};

/// One row of the two runs; a value that one of them does not have is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiffRow {
    /// The arm, or a set of pieces under it; of texts `caption` or `descriptor`.
    #[serde(with = "text")]
    pub condition: String,
    #[serde(with = "text")]
    pub id: String,
    /// As run A has it; empty when the row has none.
    #[serde(with = "text")]
    pub taste: String,
    pub found_in: FoundIn,
    /// CLAP scores, -1 to 1.
    #[serde(with = "finite::option")]
    pub score_a: Option<f64>,
    #[serde(with = "finite::option")]
    pub score_b: Option<f64>,
    /// `score_b` - `score_a`.
    #[serde(with = "finite::option")]
    pub change: Option<f64>,
    /// 1 minus the cosine of the two embeddings of the audio: 0 where they are the same bits, to 2.
    #[serde(with = "finite::option")]
    pub audio_distance: Option<f64>,
    /// The same of the text.
    #[serde(with = "finite::option")]
    pub text_distance: Option<f64>,
    /// The cosines themselves, -1 to 1. The distances keep the digits that a cosine next to 1 has not.
    #[serde(with = "finite::option")]
    pub audio_cosine: Option<f64>,
    #[serde(with = "finite::option")]
    pub text_cosine: Option<f64>,
}

/// Which run has the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FoundIn {
    Both,
    A,
    B,
}

impl Row for DiffRow {
    const FILE: &'static str = "diff.csv";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};

    #[test]
    fn rows_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DiffRow::FILE);
        let row = DiffRow {
            condition: "on".into(),
            id: "=1+1".into(),
            taste: String::new(),
            found_in: FoundIn::A,
            score_a: Some(0.25),
            score_b: None,
            change: None,
            audio_distance: None,
            text_distance: None,
            audio_cosine: Some(0.5),
            text_cosine: None,
        };
        assert_columns(&row);
        write(&path, std::slice::from_ref(&row), &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("\non,'=1+1,,a,0.25,,,,,0.5,\n"), "{text}");
        assert_eq!(read::<DiffRow>(&path, &Word::default()).unwrap(), [row]);
    }
}

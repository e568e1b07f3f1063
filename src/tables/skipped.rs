//! `skipped.csv`: the pieces that `--skip-bad` left out.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::Row;

/// A file that was not scored, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRow {
    #[serde(with = "text")]
    pub path: String,
    #[serde(with = "text")]
    pub reason: String,
}

impl Row for SkippedRow {
    const FILE: &'static str = "skipped.csv";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};

    #[test]
    fn reasons_keep_their_commas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SkippedRow::FILE);
        let row = SkippedRow {
            path: "a.wav".into(),
            reason: "it was cut off, make it again".into(),
        };
        assert_columns(&row);
        write(&path, std::slice::from_ref(&row), &Word::default()).unwrap();
        assert_eq!(read::<SkippedRow>(&path, &Word::default()).unwrap(), [row]);
    }
}

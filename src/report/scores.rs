//! `scores.csv`: one row per piece and arm.

use serde::{Deserialize, Serialize, Serializer, ser};

use super::table::{Row, finite};

/// One piece under one arm. The first four columns are the notebooks'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    pub id: String,
    pub prompt: String,
    pub audio_path: String,
    /// Cosine of the audio and the text embedding, -1 to 1; six decimals in the file.
    #[serde(
        serialize_with = "six_decimals",
        deserialize_with = "finite::deserialize"
    )]
    pub clap_score: f64,
    /// Empty when the piece has none.
    pub taste: String,
    pub arm: String,
    /// First mel frame of each of the three crops of a fused model; empty where none was taken.
    pub front: Option<usize>,
    pub middle: Option<usize>,
    pub back: Option<usize>,
    /// First sample of the crop of a model without fusion; empty where none was taken.
    pub offset: Option<usize>,
}

impl Row for ScoreRow {
    const FILE: &'static str = "scores.csv";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "prompt",
        "audio_path",
        "clap_score",
        "taste",
        "arm",
        "front",
        "middle",
        "back",
        "offset",
    ];
}

/// A score as it reads back from the file.
pub fn as_written(score: f64) -> f64 {
    format!("{score:.6}").parse().unwrap_or(score)
}

pub(super) fn six_decimals<S: Serializer>(score: &f64, s: S) -> Result<S::Ok, S::Error> {
    let score = finite::check(*score).map_err(ser::Error::custom)?;
    s.collect_str(&format_args!("{score:.6}"))
}

/// A row for tests; what is not given is made up.
#[cfg(test)]
pub(crate) fn row(id: &str, arm: &str, taste: &str, clap_score: f64) -> ScoreRow {
    ScoreRow {
        id: id.to_owned(),
        prompt: format!("{taste} music, ambient for fine restaurant"),
        audio_path: format!("{id}.wav"),
        clap_score,
        taste: taste.to_owned(),
        arm: arm.to_owned(),
        front: None,
        middle: None,
        back: None,
        offset: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::{read, tests::assert_columns, write};

    #[test]
    fn strange_text_survives_and_scores_have_six_decimals() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let mut strange = row("=1+1", "a, \"b\"", "сладкий", 0.123_456_78);
        strange.prompt = "two\nlines, and \"quotes\"".to_owned();
        strange.offset = Some(48_000);
        assert_columns(&strange);
        write(&path, std::slice::from_ref(&strange)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(",0.123457,"), "{text}");
        strange.clap_score = as_written(strange.clap_score);
        assert_eq!(read::<ScoreRow>(&path).unwrap(), [strange]);
    }

    #[test]
    fn nan_is_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let error = write(&path, &[row("1", "a", "sweet", f64::NAN)]).unwrap_err();
        assert!(
            error.to_string().contains("NaN is not a finite number"),
            "{error}"
        );
        assert!(!path.exists());
    }
}

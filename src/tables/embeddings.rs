//! `embeddings.csv`: the two embeddings of each piece under each arm.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::scores::six_decimals;
use super::table::{LARGEST_WITH_EMBEDDINGS, Row, drawn};

/// One piece under one arm. The first five columns are the notebooks'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingRow {
    #[serde(with = "text")]
    pub prompt: String,
    #[serde(with = "text")]
    pub audio_name: String,
    #[serde(
        serialize_with = "six_decimals",
        deserialize_with = "drawn::deserialize"
    )]
    pub clap_score: f64,
    /// `[512]`, of length 1; a JSON list of the shortest decimals that read back as the same f32.
    #[serde(with = "json_list")]
    pub audio_emb: Vec<f32>,
    #[serde(with = "json_list")]
    pub text_emb: Vec<f32>,
    #[serde(with = "text")]
    pub taste: String,
    #[serde(with = "text")]
    pub arm: String,
    #[serde(with = "text")]
    pub id: String,
    /// Of an experiment that compares sets of pieces.
    #[serde(default, with = "text::option")]
    pub set: Option<String>,
}

impl Row for EmbeddingRow {
    const FILE: &'static str = "embeddings.csv";
    const LARGEST: u64 = LARGEST_WITH_EMBEDDINGS;

    fn columns() -> Vec<&'static str> {
        let mut all = Self::all_columns();
        all.retain(|column| *column != SET);
        all
    }

    /// Pieces of several sets have a last column `set`.
    fn header(first: Option<&Self>) -> Vec<&'static str> {
        match first.is_some_and(|row| row.set.is_some()) {
            true => Self::all_columns(),
            false => Self::columns(),
        }
    }
}

const SET: &str = "set";

pub(super) mod json_list {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    pub fn serialize<S: Serializer>(values: &[f32], s: S) -> Result<S::Ok, S::Error> {
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            let message = format!("value {i} of an embedding is {}", values[i]);
            return Err(ser::Error::custom(message));
        }
        s.serialize_str(&serde_json::to_string(values).map_err(ser::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f32>, D::Error> {
        let text = String::deserialize(d)?;
        let values: Vec<f32> = serde_json::from_str(&text)
            .map_err(|e| de::Error::custom(format!("not a JSON list of numbers: {e}")))?;
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(de::Error::custom(format!(
                "value {i} of the list does not fit a 32-bit float"
            ))),
            None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};

    fn example(audio_emb: Vec<f32>) -> EmbeddingRow {
        EmbeddingRow {
            prompt: "sweet music".into(),
            audio_name: "sweet_01.wav".into(),
            clap_score: 0.25,
            audio_emb,
            text_emb: vec![1.0, -0.5],
            taste: "sweet".into(),
            arm: "on".into(),
            id: "sweet_01".into(),
            set: None,
        }
    }

    #[test]
    fn embeddings_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EmbeddingRow::FILE);
        let values = vec![
            0.1,
            -1.0 / 3.0,
            f32::MIN_POSITIVE,
            1e-45,
            0.0,
            0.044_194_173,
        ];
        let row = example(values);
        assert_columns(&row);
        write(&path, std::slice::from_ref(&row), &Word::default()).unwrap();
        assert_eq!(
            read::<EmbeddingRow>(&path, &Word::default()).unwrap(),
            [row]
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(",0.250000,\"[0.1,-0.33333334,"), "{text}");
    }

    #[test]
    fn pieces_of_sets_name_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EmbeddingRow::FILE);
        let mut row = example(vec![1.0]);
        row.set = Some("base".into());
        write(&path, std::slice::from_ref(&row), &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("taste,arm,id,set\n") && text.ends_with(",on,sweet_01,base\n"));
        assert_eq!(
            read::<EmbeddingRow>(&path, &Word::default()).unwrap(),
            [row]
        );
    }

    #[test]
    fn an_embedding_that_is_not_finite_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EmbeddingRow::FILE);
        let error = write(&path, &[example(vec![0.5, f32::NAN])], &Word::default()).unwrap_err();
        assert!(error.to_string().contains("value 1 of an embedding is NaN"));
        assert!(!path.exists());
    }
}

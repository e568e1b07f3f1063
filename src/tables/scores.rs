//! `scores.csv`: one row per piece and arm.

use serde::{Deserialize, Serialize, Serializer, ser};

use super::cell::text;
use super::table::{Row, drawn};

/// The rows of `scores.csv` that figures and the report of a large run show, in a file of its own.
pub const SAMPLE: &str = "sample.csv";

/// One piece under one arm. Each file has the columns of its notebook first, and of the rest those that its pieces have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    #[serde(with = "text")]
    pub id: String,
    /// As the descriptions file says.
    #[serde(default, with = "text::option")]
    pub instrument: Option<String>,
    /// The column is `description` where the prompt is one, as in the notebooks.
    #[serde(alias = "description", with = "text")]
    pub prompt: String,
    #[serde(with = "text")]
    pub audio_path: String,
    /// Cosine of the audio and the text embedding, -1 to 1; six decimals in the file.
    #[serde(
        serialize_with = "six_decimals",
        deserialize_with = "drawn::deserialize"
    )]
    pub clap_score: f64,
    /// Empty when the piece has none.
    #[serde(with = "text")]
    pub taste: String,
    /// Every taste that a description names, in its order and with spaces between them.
    #[serde(default, with = "text::option")]
    pub tastes: Option<String>,
    /// Of an experiment that compares sets of pieces: the set, the set under its arm as tables and figures call it, and the
    /// prompt that the piece was made from, where `prompt` is another text that it was scored against.
    #[serde(default, with = "text::option")]
    pub set: Option<String>,
    #[serde(default, with = "text::option")]
    pub condition: Option<String>,
    #[serde(default, with = "text::option")]
    pub own_prompt: Option<String>,
    /// Of a generated piece: pieces with one `prompt_id` are draws of one prompt.
    #[serde(default, with = "text::option")]
    pub prompt_id: Option<String>,
    /// From 1.
    #[serde(default)]
    pub draw: Option<usize>,
    #[serde(with = "text")]
    pub arm: String,
    /// First mel frame of each of the three crops of a fused model; empty where none was taken.
    pub front: Option<usize>,
    pub middle: Option<usize>,
    pub back: Option<usize>,
    /// First sample of the crop of a model without fusion; empty where none was taken.
    pub offset: Option<usize>,
}

impl ScoreRow {
    /// What tables and figures group by: the arm, or a set of pieces under an arm.
    pub fn condition(&self) -> &str {
        self.condition.as_deref().unwrap_or(&self.arm)
    }
}

/// Columns that only some pieces have: those made from a prompt, those made from a description, those of a set.
const OF_PROMPTS: [&str; 2] = ["prompt_id", "draw"];
const OF_DESCRIPTIONS: [&str; 2] = ["instrument", "tastes"];
const OF_SETS: [&str; 3] = ["set", "condition", "own_prompt"];

impl Row for ScoreRow {
    const FILE: &'static str = "scores.csv";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("prompt", "description")];

    fn columns() -> Vec<&'static str> {
        columns(&[])
    }

    fn header(first: Option<&Self>) -> Vec<&'static str> {
        match first {
            Some(row) if row.set.is_some() => columns(&[&OF_SETS, &OF_PROMPTS]),
            Some(row) if row.instrument.is_some() => {
                let mut all = columns(&[&OF_DESCRIPTIONS, &OF_PROMPTS]);
                for (column, alias) in Self::ALIASES {
                    all.iter_mut()
                        .filter(|name| *name == column)
                        .for_each(|name| *name = alias);
                }
                all
            }
            Some(row) if row.prompt_id.is_some() => columns(&[&OF_PROMPTS]),
            _ => Self::columns(),
        }
    }
}

/// The columns that all pieces have, and those `of` some.
fn columns(of: &[&[&str]]) -> Vec<&'static str> {
    let some = [&OF_PROMPTS[..], &OF_DESCRIPTIONS, &OF_SETS].concat();
    let mut all = ScoreRow::all_columns();
    all.retain(|column| !some.contains(column) || of.concat().contains(column));
    all
}

/// A score as it reads back from the file.
pub fn as_written(score: f64) -> f64 {
    format!("{score:.6}").parse().unwrap_or(score)
}

pub(super) fn six_decimals<S: Serializer>(score: &f64, s: S) -> Result<S::Ok, S::Error> {
    let score = drawn::written(*score).map_err(ser::Error::custom)?;
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
        prompt_id: None,
        draw: None,
        instrument: None,
        tastes: None,
        set: None,
        condition: None,
        own_prompt: None,
    }
}

/// The row of one draw of a prompt, for tests.
#[cfg(test)]
pub(crate) fn drawn(prompt_id: &str, draw: usize, arm: &str, clap_score: f64) -> ScoreRow {
    ScoreRow {
        prompt_id: Some(prompt_id.to_owned()),
        draw: Some(draw),
        ..row(&format!("{prompt_id}_{draw:02}"), arm, "sweet", clap_score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};

    #[test]
    fn strange_text_survives_and_scores_have_six_decimals() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let mut strange = row("=1+1", "a, \"b\"", "сладкий", 0.123_456_78);
        strange.prompt = "two\nlines, and \"quotes\"".to_owned();
        strange.offset = Some(48_000);
        assert_columns(&strange);
        write(&path, std::slice::from_ref(&strange), &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(",0.123457,"), "{text}");
        strange.clap_score = as_written(strange.clap_score);
        assert_eq!(
            read::<ScoreRow>(&path, &Word::default()).unwrap(),
            [strange]
        );
    }

    #[test]
    fn generated_pieces_have_the_columns_of_their_notebook_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let mut rows = [drawn("sweet", 1, "on", 0.25), drawn("sweet", 2, "on", -0.5)];
        write(&path, &rows, &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "id,prompt,audio_path,clap_score,taste,prompt_id,draw,arm,front,middle,back,offset\n\
            sweet_01,\"sweet music, ambient for fine restaurant\",sweet_01.wav,0.250000,sweet,sweet,1,on,,,,\n";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(read::<ScoreRow>(&path, &Word::default()).unwrap(), rows);

        for row in &mut rows {
            row.instrument = Some("piano".into());
            row.tastes = Some("sweet sour".into());
        }
        write(&path, &rows, &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "id,instrument,description,audio_path,clap_score,taste,tastes,prompt_id,draw,arm,front,middle,\
            back,offset\nsweet_01,piano,\"sweet music, ambient for fine restaurant\",sweet_01.wav,0.250000,sweet,\
            sweet sour,sweet,1,on,,,,\n";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(read::<ScoreRow>(&path, &Word::default()).unwrap(), rows);
        rows[1].clap_score = f64::NAN;
        assert!(write(&path, &rows, &Word::default()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn sets_of_pieces_have_columns_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let mut compared = row("1", "on", "sweet", 0.25);
        compared.set = Some("base".into());
        compared.condition = Some("base".into());
        compared.own_prompt = Some("=sweet".into());
        write(&path, std::slice::from_ref(&compared), &Word::default()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let header = "id,prompt,audio_path,clap_score,taste,set,condition,own_prompt,prompt_id,draw,arm,front,middle,back,offset\n";
        assert!(
            text.starts_with(header) && text.contains(",base,base,'=sweet,,,on,"),
            "{text}"
        );
        assert_eq!(
            read::<ScoreRow>(&path, &Word::default()).unwrap(),
            [compared]
        );
    }

    #[test]
    fn nan_is_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let error =
            write(&path, &[row("1", "a", "sweet", f64::NAN)], &Word::default()).unwrap_err();
        assert!(
            error.to_string().contains("NaN is not a finite number"),
            "{error}"
        );
        assert!(!path.exists());
    }
}

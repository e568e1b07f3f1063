//! `scores.csv`: one row per piece and arm.

use std::path::Path;

use serde::{Deserialize, Serialize, Serializer, ser};

use super::cell::text;
use super::table::{Row, TableError, drawn, write, write_columns};

/// One piece under one arm. The first four columns are the notebooks'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    #[serde(with = "text")]
    pub id: String,
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
    #[serde(with = "text")]
    pub arm: String,
    /// First mel frame of each of the three crops of a fused model; empty where none was taken.
    pub front: Option<usize>,
    pub middle: Option<usize>,
    pub back: Option<usize>,
    /// First sample of the crop of a model without fusion; empty where none was taken.
    pub offset: Option<usize>,
    /// Of a generated piece: pieces with one `prompt_id` are draws of one prompt. The fields from here on are columns
    /// of generated pieces only: see [`write_scores`].
    #[serde(
        default,
        skip_serializing,
        deserialize_with = "text::option::deserialize"
    )]
    pub prompt_id: Option<String>,
    /// From 1.
    #[serde(default, skip_serializing)]
    pub draw: Option<usize>,
    /// As the descriptions file says.
    #[serde(
        default,
        skip_serializing,
        deserialize_with = "text::option::deserialize"
    )]
    pub instrument: Option<String>,
    /// Every taste that a description names, in its order and with spaces between them.
    #[serde(
        default,
        skip_serializing,
        deserialize_with = "text::option::deserialize"
    )]
    pub tastes: Option<String>,
    /// Of an experiment that compares sets of pieces: the set, the set under its arm as tables and figures call it, and the
    /// prompt that the piece was made from, where `prompt` is another text that it was scored against.
    #[serde(
        default,
        skip_serializing,
        deserialize_with = "text::option::deserialize"
    )]
    pub set: Option<String>,
    #[serde(
        default,
        skip_serializing,
        deserialize_with = "text::option::deserialize"
    )]
    pub condition: Option<String>,
    #[serde(
        default,
        skip_serializing,
        deserialize_with = "text::option::deserialize"
    )]
    pub own_prompt: Option<String>,
}

impl ScoreRow {
    /// What tables and figures group by: the arm, or a set of pieces under an arm.
    pub fn condition(&self) -> &str {
        self.condition.as_deref().unwrap_or(&self.arm)
    }
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
    const ALIASES: &'static [(&'static str, &'static str)] = &[("prompt", "description")];
}

impl ScoreRow {
    /// Every column that a `scores.csv` may have, whatever its pieces are.
    pub fn all_columns() -> Vec<&'static str> {
        let mut all = Self::COLUMNS.to_vec();
        for columns in [
            Compared::COLUMNS.as_slice(),
            Prompted::COLUMNS.as_slice(),
            Described::COLUMNS.as_slice(),
        ] {
            all.extend(
                columns
                    .iter()
                    .filter(|column| !Self::COLUMNS.contains(column)),
            );
        }
        all
    }
}

/// Write `scores.csv` with the columns that its pieces have: those of the notebook that it belongs to first, whether the
/// pieces were found, made from prompts or made from descriptions.
pub fn write_scores(path: &Path, rows: &[ScoreRow]) -> Result<(), TableError> {
    match rows.first() {
        Some(row) if row.set.is_some() => {
            let rows = rows.iter().map(|row| Compared {
                id: &row.id,
                prompt: &row.prompt,
                piece: Piece::of(row),
                set: row.set.as_deref(),
                condition: row.condition(),
                own_prompt: row.own_prompt.as_deref(),
                draw: Draw::of(row),
            });
            write_columns(path, &Compared::COLUMNS, rows)
        }
        Some(row) if row.instrument.is_some() => {
            let rows = rows.iter().map(|row| Described {
                id: &row.id,
                instrument: row.instrument.as_deref(),
                description: &row.prompt,
                piece: Piece::of(row),
                tastes: row.tastes.as_deref(),
                draw: Draw::of(row),
            });
            write_columns(path, &Described::COLUMNS, rows)
        }
        Some(row) if row.prompt_id.is_some() => {
            let rows = rows.iter().map(|row| Prompted {
                id: &row.id,
                prompt: &row.prompt,
                piece: Piece::of(row),
                draw: Draw::of(row),
            });
            write_columns(path, &Prompted::COLUMNS, rows)
        }
        _ => write(path, rows),
    }
}

/// A piece of one of several sets. Nested structs are columns in a row.
#[derive(Serialize)]
struct Compared<'a> {
    #[serde(serialize_with = "text::serialize")]
    id: &'a str,
    #[serde(serialize_with = "text::serialize")]
    prompt: &'a str,
    piece: Piece<'a>,
    #[serde(serialize_with = "text::option::serialize")]
    set: Option<&'a str>,
    #[serde(serialize_with = "text::serialize")]
    condition: &'a str,
    #[serde(serialize_with = "text::option::serialize")]
    own_prompt: Option<&'a str>,
    draw: Draw<'a>,
}

/// A piece that was made from a prompt; the first five columns are the notebook's.
#[derive(Serialize)]
struct Prompted<'a> {
    #[serde(serialize_with = "text::serialize")]
    id: &'a str,
    #[serde(serialize_with = "text::serialize")]
    prompt: &'a str,
    piece: Piece<'a>,
    draw: Draw<'a>,
}

/// A piece that was made from a description; the first five columns are the notebook's.
#[derive(Serialize)]
struct Described<'a> {
    #[serde(serialize_with = "text::serialize")]
    id: &'a str,
    #[serde(serialize_with = "text::option::serialize")]
    instrument: Option<&'a str>,
    #[serde(serialize_with = "text::serialize")]
    description: &'a str,
    piece: Piece<'a>,
    #[serde(serialize_with = "text::option::serialize")]
    tastes: Option<&'a str>,
    draw: Draw<'a>,
}

impl Compared<'_> {
    const COLUMNS: [&'static str; 15] = [
        "id",
        "prompt",
        "audio_path",
        "clap_score",
        "taste",
        "set",
        "condition",
        "own_prompt",
        "prompt_id",
        "draw",
        "arm",
        "front",
        "middle",
        "back",
        "offset",
    ];
}

impl Prompted<'_> {
    const COLUMNS: [&'static str; 12] = [
        "id",
        "prompt",
        "audio_path",
        "clap_score",
        "taste",
        "prompt_id",
        "draw",
        "arm",
        "front",
        "middle",
        "back",
        "offset",
    ];
}

impl Described<'_> {
    const COLUMNS: [&'static str; 14] = [
        "id",
        "instrument",
        "description",
        "audio_path",
        "clap_score",
        "taste",
        "tastes",
        "prompt_id",
        "draw",
        "arm",
        "front",
        "middle",
        "back",
        "offset",
    ];
}

#[derive(Serialize)]
struct Piece<'a> {
    #[serde(serialize_with = "text::serialize")]
    audio_path: &'a str,
    clap_score: SixDecimals,
    #[serde(serialize_with = "text::serialize")]
    taste: &'a str,
}

impl<'a> Piece<'a> {
    fn of(row: &'a ScoreRow) -> Self {
        Self {
            audio_path: &row.audio_path,
            clap_score: SixDecimals(row.clap_score),
            taste: &row.taste,
        }
    }
}

#[derive(Serialize)]
struct Draw<'a> {
    #[serde(serialize_with = "text::option::serialize")]
    prompt_id: Option<&'a str>,
    draw: Option<usize>,
    #[serde(serialize_with = "text::serialize")]
    arm: &'a str,
    crops: Crops,
}

#[derive(Serialize)]
struct Crops {
    front: Option<usize>,
    middle: Option<usize>,
    back: Option<usize>,
    offset: Option<usize>,
}

impl Crops {
    fn of(row: &ScoreRow) -> Self {
        Self {
            front: row.front,
            middle: row.middle,
            back: row.back,
            offset: row.offset,
        }
    }
}

impl<'a> Draw<'a> {
    fn of(row: &'a ScoreRow) -> Self {
        Self {
            prompt_id: row.prompt_id.as_deref(),
            draw: row.draw,
            arm: &row.arm,
            crops: Crops::of(row),
        }
    }
}

#[derive(Serialize)]
struct SixDecimals(#[serde(serialize_with = "six_decimals")] f64);

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
    use crate::tables::table::{read, tests::assert_columns};

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
    fn generated_pieces_have_the_columns_of_their_notebook_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ScoreRow::FILE);
        let mut rows = [drawn("sweet", 1, "on", 0.25), drawn("sweet", 2, "on", -0.5)];
        write_scores(&path, &rows).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "id,prompt,audio_path,clap_score,taste,prompt_id,draw,arm,front,middle,back,offset\n\
            sweet_01,\"sweet music, ambient for fine restaurant\",sweet_01.wav,0.250000,sweet,sweet,1,on,,,,\n";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(read::<ScoreRow>(&path).unwrap(), rows);

        for row in &mut rows {
            row.instrument = Some("piano".into());
            row.tastes = Some("sweet sour".into());
        }
        write_scores(&path, &rows).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "id,instrument,description,audio_path,clap_score,taste,tastes,prompt_id,draw,arm,front,middle,\
            back,offset\nsweet_01,piano,\"sweet music, ambient for fine restaurant\",sweet_01.wav,0.250000,sweet,\
            sweet sour,sweet,1,on,,,,\n";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(read::<ScoreRow>(&path).unwrap(), rows);
        rows[1].clap_score = f64::NAN;
        assert!(write_scores(&path, &rows).is_err());
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
        write_scores(&path, std::slice::from_ref(&compared)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let header = "id,prompt,audio_path,clap_score,taste,set,condition,own_prompt,prompt_id,draw,arm,front,middle,back,offset\n";
        assert!(
            text.starts_with(header) && text.contains(",base,base,'=sweet,,,on,"),
            "{text}"
        );
        assert_eq!(read::<ScoreRow>(&path).unwrap(), [compared]);
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

//! Where the embeddings of a run are read from.

use std::collections::HashMap;

use ndarray::Array2;

use super::DiffError;
use super::join::{Key, Table};
use super::side::Side;
use crate::tables::{
    self, EMBEDDINGS_NPY, EmbeddingRow, PromptRow, Row, ScoreRow, TEXT_EMBEDDINGS_NPY, TableError,
};

/// The embeddings of one row of a run that scores pieces; `None` what the run does not have.
pub(super) struct Embedded {
    pub key: Key,
    pub audio: Option<Vec<f32>>,
    pub text: Option<Vec<f32>>,
}

type Rows = Box<dyn Iterator<Item = Result<Embedded, TableError>>>;

/// The rows of `embeddings.csv`, or without it those of the arrays, named by `scores.csv`.
///
/// `conditions`: of a set of pieces under an arm; `scores.csv` has it, `embeddings.csv` does not.
///
/// # Errors
/// When a file cannot be read, or an array has not the rows of `scores.csv`.
pub(super) fn of(
    side: &Side,
    conditions: &HashMap<(Option<String>, String), String>,
) -> Result<Table<Rows>, DiffError> {
    match side.has_embeddings {
        true => of_csv(side, conditions.clone()),
        false => of_arrays(side),
    }
}

fn of_csv(
    side: &Side,
    conditions: HashMap<(Option<String>, String), String>,
) -> Result<Table<Rows>, DiffError> {
    let rows = tables::rows::<EmbeddingRow>(&side.at(EmbeddingRow::FILE), &side.word)?;
    let embedded = move |row: EmbeddingRow| {
        let place = (row.set, row.arm);
        let condition = conditions.get(&place).unwrap_or(&place.1).clone();
        Embedded {
            key: Key {
                condition,
                id: row.id,
            },
            audio: Some(row.audio_emb),
            text: Some(row.text_emb),
        }
    };
    let rows: Rows = Box::new(rows.map(move |row| row.map(&embedded)));
    Ok(table(side, EmbeddingRow::FILE, rows))
}

fn of_arrays(side: &Side) -> Result<Table<Rows>, DiffError> {
    let scores: Vec<ScoreRow> = tables::read(&side.at(ScoreRow::FILE), &side.word)?;
    let audio = array(side, EMBEDDINGS_NPY, scores.len())?;
    // A large run has each prompt once.
    let prompts = side.at(PromptRow::FILE);
    let prompts: Option<Vec<PromptRow>> = prompts
        .exists()
        .then(|| tables::read(&prompts, &side.word))
        .transpose()?;
    let rows_of_text = prompts.as_ref().map_or(scores.len(), Vec::len);
    let text = array(side, TEXT_EMBEDDINGS_NPY, rows_of_text)?;
    let places: Option<HashMap<(String, String), usize>> = prompts.map(|prompts| {
        let prompts = prompts.into_iter().enumerate();
        prompts.map(|(n, row)| ((row.arm, row.prompt), n)).collect()
    });
    let row = |array: &Option<Array2<f32>>, n: Option<usize>| {
        let (array, n) = array.as_ref().zip(n)?;
        Some(array.row(n).to_vec())
    };
    let rows = scores.into_iter().enumerate().map(move |(n, score)| {
        let of_text = match &places {
            None => Some(n),
            Some(places) => places
                .get(&(score.arm.clone(), score.prompt.clone()))
                .copied(),
        };
        Ok(Embedded {
            key: key_of(&score),
            audio: row(&audio, Some(n)),
            text: row(&text, of_text),
        })
    });
    let rows: Rows = Box::new(rows);
    Ok(table(side, EMBEDDINGS_NPY, rows))
}

/// `None` when there is no such file.
fn array(side: &Side, file: &str, scores: usize) -> Result<Option<Array2<f32>>, DiffError> {
    let path = side.at(file);
    if !path.exists() {
        return Ok(None);
    }
    let array = tables::read_npy(&path)?;
    match array.nrows() == scores {
        true => Ok(Some(array)),
        false => Err(DiffError::OtherRows {
            file: path.display().to_string(),
            rows: array.nrows(),
            scores,
        }),
    }
}

pub(super) fn key_of(row: &ScoreRow) -> Key {
    Key {
        condition: row.condition().to_owned(),
        id: row.id.clone(),
    }
}

pub(super) fn table<I>(side: &Side, file: &str, rows: I) -> Table<I> {
    Table {
        name: side.at(file).display().to_string(),
        rows,
    }
}

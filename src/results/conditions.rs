//! The embeddings of a run by what they are compared by: the arm, or a set of pieces under an arm.

use std::collections::HashSet;

use ndarray::{Array2, ArrayView2, Axis};

use crate::tables::{EmbeddingRow, ScoreRow};

/// The pieces of one condition and how its arm embeds them, row by row.
pub struct Condition<'a> {
    /// See [`ScoreRow::condition`].
    pub name: &'a str,
    pub arm: &'a str,
    pub set: Option<&'a str>,
    pub ids: Vec<&'a str>,
    /// Empty where a piece has none.
    pub tastes: Vec<&'a str>,
    pub prompts: Vec<&'a str>,
    /// `[pieces, 512]`.
    pub audio: Array2<f32>,
    /// Of the prompts, `[pieces, 512]`.
    pub text: Array2<f32>,
}

/// The conditions in the order of the rows, which belong to each other one by one.
pub fn conditions<'a>(scores: &'a [ScoreRow], embeddings: &[EmbeddingRow]) -> Vec<Condition<'a>> {
    let same = |x: &ScoreRow, y: &ScoreRow| x.condition() == y.condition();
    let mut start = 0;
    scores
        .chunk_by(same)
        .filter_map(|rows| {
            let embedded = &embeddings[start..start + rows.len()];
            start += rows.len();
            let first = rows.first()?;
            Some(Condition {
                name: first.condition(),
                arm: &first.arm,
                set: first.set.as_deref(),
                ids: rows.iter().map(|row| row.id.as_str()).collect(),
                tastes: rows.iter().map(|row| row.taste.as_str()).collect(),
                prompts: rows.iter().map(|row| row.prompt.as_str()).collect(),
                audio: stacked(embedded, |row| &row.audio_emb)?,
                text: stacked(embedded, |row| &row.text_emb)?,
            })
        })
        .collect()
}

/// One field of every row as a matrix `[rows, dimensions]`; `None` when they differ in length, as
/// those of different models may.
pub fn stacked<T>(rows: &[T], field: impl Fn(&T) -> &Vec<f32>) -> Option<Array2<f32>> {
    let width = rows.first().map_or(0, |row| field(row).len());
    if rows.iter().any(|row| field(row).len() != width) {
        return None;
    }
    let values: Vec<f32> = rows
        .iter()
        .flat_map(|row| field(row).iter().copied())
        .collect();
    Array2::from_shape_vec((rows.len(), width), values).ok()
}

impl Condition<'_> {
    /// The rows of each of `tastes`, in the order of the pieces.
    pub fn of_tastes(&self, tastes: &[&str]) -> Vec<Vec<usize>> {
        let of = |taste: &&str| {
            let pieces = self.tastes.iter().enumerate();
            pieces
                .filter(|(_, t)| *t == taste)
                .map(|(i, _)| i)
                .collect()
        };
        tastes.iter().map(of).collect()
    }

    /// The rows of the first `most` pieces of each taste, taste by taste.
    pub fn first_of_each(&self, tastes: &[&str], most: usize) -> Vec<usize> {
        let groups = self.of_tastes(tastes);
        let first = groups
            .into_iter()
            .flat_map(|rows| rows.into_iter().take(most));
        first.collect()
    }

    /// The label of each row: the place of its taste in `tastes`. Rows of other tastes are left out.
    pub fn labelled(&self, tastes: &[&str], rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let label =
            |row: &usize| Some((*row, tastes.iter().position(|t| *t == self.tastes[*row])?));
        rows.iter().filter_map(label).unzip()
    }

    /// Whether some taste has several prompts, so that their embeddings can lie apart or together.
    pub fn has_various_prompts(&self, tastes: &[&str]) -> bool {
        self.of_tastes(tastes).iter().any(|rows| {
            let prompts: HashSet<&str> = rows.iter().map(|&row| self.prompts[row]).collect();
            prompts.len() > 1
        })
    }
}

/// Some rows of a matrix.
pub fn rows_of(matrix: ArrayView2<'_, f32>, rows: &[usize]) -> Array2<f32> {
    matrix.select(Axis(0), rows)
}

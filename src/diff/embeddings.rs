//! How far the embeddings of the same rows lie apart.

use super::rows::{Pair, Rows};

/// Embeddings of one arm, or of one kind of text.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingChange {
    pub condition: String,
    pub audio: Option<Cosines>,
    pub text: Option<Cosines>,
}

/// Cosines of the two embeddings of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cosines {
    /// Rows.
    pub n: usize,
    /// Rows whose embeddings point the same way to the bit.
    pub same: usize,
    /// -1 to 1.
    pub min: f64,
    pub mean: f64,
    /// Id of the row with the lowest.
    pub min_id: String,
}

pub(super) fn of(rows: &Rows) -> Vec<EmbeddingChange> {
    let changes = rows
        .by_condition()
        .into_iter()
        .map(|(name, pairs)| EmbeddingChange {
            condition: name.to_owned(),
            audio: cosines(&pairs, |pair| pair.audio_distance),
            text: cosines(&pairs, |pair| pair.text_distance),
        });
    changes
        .filter(|change| change.audio.is_some() || change.text.is_some())
        .collect()
}

fn cosines(pairs: &[&Pair], distance: impl Fn(&Pair) -> Option<f64>) -> Option<Cosines> {
    let known: Vec<(f64, &str)> = pairs
        .iter()
        .filter_map(|pair| Some((distance(pair)?, pair.key.id.as_str())))
        .collect();
    // The first of several.
    let (far, id) = *known.iter().rev().max_by(|x, y| x.0.total_cmp(&y.0))?;
    let sum: f64 = known.iter().map(|(distance, _)| distance).sum();
    Some(Cosines {
        n: known.len(),
        same: known
            .iter()
            .filter(|(distance, _)| *distance == 0.0)
            .count(),
        min: 1.0 - far,
        mean: 1.0 - sum / known.len() as f64,
        min_id: id.to_owned(),
    })
}

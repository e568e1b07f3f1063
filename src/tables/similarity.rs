//! `similarity.csv`: how alike the tastes sound to an arm.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, drawn};

/// The mean cosine of two groups of embeddings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimilarityRow {
    /// The arm, or the condition.
    #[serde(with = "text")]
    pub arm: String,
    pub against: Against,
    /// Of the pieces.
    #[serde(with = "text")]
    pub taste_a: String,
    /// Of the other pieces, or of the prompts.
    #[serde(with = "text")]
    pub taste_b: String,
    /// Pairs of embeddings.
    pub n: usize,
    /// -1 to 1; a piece is not paired with itself.
    #[serde(with = "drawn")]
    pub similarity: f64,
}

impl Row for SimilarityRow {
    const FILE: &'static str = "similarity.csv";
}

/// What the pieces are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Other pieces.
    Audio,
    /// Prompts.
    Text,
}

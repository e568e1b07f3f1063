//! `maps.csv`: where each piece lies on the t-SNE maps of a run.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, place};

/// One point of one map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapRow {
    /// Names the map: an arm whose embeddings it shows alone, or one that begins with `joint`, which shows several arms.
    #[serde(with = "text")]
    pub map: String,
    /// The arm, or the condition, that the embedding comes from.
    #[serde(with = "text")]
    pub arm: String,
    /// Of the piece, or of the text.
    #[serde(with = "text")]
    pub id: String,
    /// Empty when there is none.
    #[serde(with = "text")]
    pub taste: String,
    #[serde(with = "place")]
    pub tsne_1: f64,
    #[serde(with = "place")]
    pub tsne_2: f64,
}

impl Row for MapRow {
    const FILE: &'static str = "maps.csv";
}

//! `nearest.csv`: the texts that lie nearest to the queries of an experiment.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, drawn};
use super::texts::TextKind;

/// One neighbour of one query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearestRow {
    #[serde(with = "text")]
    pub query: String,
    pub kind: TextKind,
    /// From 1, the nearest.
    pub rank: usize,
    /// Cosine, -1 to 1.
    #[serde(with = "drawn")]
    pub similarity: f64,
    #[serde(with = "text")]
    pub text: String,
    #[serde(with = "text")]
    pub id: String,
}

impl Row for NearestRow {
    const FILE: &'static str = "nearest.csv";
}

//! `histogram.csv`: how alike the texts of each kind are, two by two.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, drawn};

/// One bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistogramRow {
    /// `caption` or `descriptor`.
    #[serde(with = "text")]
    pub set: String,
    /// Cosine, from here.
    #[serde(with = "drawn")]
    pub low: f64,
    /// To here.
    #[serde(with = "drawn")]
    pub high: f64,
    /// Pairs of texts.
    pub count: u64,
}

impl Row for HistogramRow {
    const FILE: &'static str = "histogram.csv";
}

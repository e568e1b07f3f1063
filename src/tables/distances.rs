//! `distances.csv`: how far two sets of pieces lie apart as a whole.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, finite, share};

/// Two sets under one arm. See `analysis::frechet` and `analysis::kernel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistanceRow {
    #[serde(with = "text")]
    pub arm: String,
    #[serde(with = "text")]
    pub set_a: String,
    #[serde(with = "text")]
    pub set_b: String,
    /// A taste, or `all`.
    #[serde(with = "text")]
    pub taste: String,
    pub n_a: usize,
    pub n_b: usize,
    /// Of the embeddings.
    pub dimensions: usize,
    /// Fréchet audio distance, 0 or more; biased upwards when a set has fewer pieces than dimensions. Empty for a set of one piece.
    #[serde(with = "finite::option")]
    pub frechet: Option<f64>,
    /// Kernel audio distance: unbiased, so that it can fall below 0 by chance. Empty for a set of one piece, and beyond 5,000
    /// pieces.
    #[serde(with = "finite::option")]
    pub kernel: Option<f64>,
    /// Of the permutation test of the kernel distance.
    #[serde(with = "share::option")]
    pub kernel_p: Option<f64>,
    /// Whether n is small against the dimensions, so that the Fréchet distance tells more of n than of the music.
    pub small_sample: bool,
}

impl Row for DistanceRow {
    const FILE: &'static str = "distances.csv";
}

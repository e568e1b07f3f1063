//! `clusters.csv`: how well the embeddings of the tastes lie apart; one tidy table, one number a row.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::{Row, finite, share};

/// One number about one arm, or about two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterRow {
    pub kind: ClusterKind,
    pub metric: Metric,
    /// The arm, or the condition.
    #[serde(with = "text")]
    pub arm: String,
    /// The second arm of a comparison: arm minus arm_b.
    #[serde(with = "text::option")]
    pub arm_b: Option<String>,
    /// A taste, or `all`.
    #[serde(with = "text")]
    pub taste: String,
    /// Of a subset of the pieces: the first so many of each taste; empty for all pieces.
    pub pieces_per_taste: Option<usize>,
    /// Embeddings that went in.
    pub n: usize,
    #[serde(with = "finite")]
    pub value: f64,
    /// Bootstrap 95 % interval of the value.
    #[serde(with = "finite::option")]
    pub ci_low: Option<f64>,
    #[serde(with = "finite::option")]
    pub ci_high: Option<f64>,
    /// Of the permutation test.
    #[serde(with = "share::option")]
    pub p: Option<f64>,
}

impl Row for ClusterRow {
    const FILE: &'static str = "clusters.csv";
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterKind {
    /// Embeddings of the pieces.
    Audio,
    /// Embeddings of the prompts.
    Text,
    /// Places on the joint map of several arms.
    Map,
}

/// What was computed; see `analysis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean silhouette with cosine distance, -1 to 1, grouped by taste.
    Silhouette,
    /// Silhouette of `arm` minus that of `arm_b`, over the same pieces.
    SilhouetteDifference,
    /// Silhouette of the embeddings of several arms together, grouped by arm: near 1 when a joint map shows the arms and not
    /// the tastes.
    SilhouetteOfArms,
    /// Davies-Bouldin index; lower is better separated.
    DaviesBouldin,
    /// Mean cosine distance of two pieces of one taste.
    IntraDistance,
    /// Mean cosine distance of two pieces of different tastes.
    InterDistance,
    /// Distance on the joint map between the centroids of one taste under two arms.
    CentroidDisplacement,
}

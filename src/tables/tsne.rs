//! `tsne.csv`: the joint map of an experiment that compares arms by their clusters, in the columns of the notebook TSNEEnableFusion.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::embeddings::json_list;
use super::table::{LARGEST_WITH_EMBEDDINGS, Row, place};

/// One piece under one arm. The first eight columns are the notebook's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TsneRow {
    #[serde(with = "text")]
    pub id: String,
    /// The taste.
    #[serde(with = "text")]
    pub descriptor: String,
    /// `[512]`, of length 1; a JSON list.
    #[serde(with = "json_list")]
    pub audio_emb: Vec<f32>,
    #[serde(with = "json_list")]
    pub text_emb: Vec<f32>,
    /// Whether the arm's model has fusion.
    pub fusion: Option<bool>,
    /// On the joint map of all pieces.
    #[serde(with = "place")]
    pub tsne_1: f64,
    #[serde(with = "place")]
    pub tsne_2: f64,
    /// Number of the piece within its taste, from 1.
    pub num_id: usize,
    #[serde(with = "text")]
    pub arm: String,
    /// On the map of the arm alone.
    #[serde(with = "place::option")]
    pub arm_tsne_1: Option<f64>,
    #[serde(with = "place::option")]
    pub arm_tsne_2: Option<f64>,
}

impl Row for TsneRow {
    const FILE: &'static str = "tsne.csv";
    const LARGEST: u64 = LARGEST_WITH_EMBEDDINGS;
}

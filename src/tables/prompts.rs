//! `prompts.csv`: the prompts whose embeddings `text_embeddings.npy` of a large run has, row by row.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::table::Row;

/// One prompt under one arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptRow {
    #[serde(with = "text")]
    pub arm: String,
    #[serde(with = "text")]
    pub prompt: String,
}

impl Row for PromptRow {
    const FILE: &'static str = "prompts.csv";
}

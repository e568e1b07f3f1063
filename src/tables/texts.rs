//! `embeddings.csv` of an experiment that embeds texts.

use serde::{Deserialize, Serialize};

use super::cell::text;
use super::embeddings::json_list;
use super::table::{LARGEST_WITH_EMBEDDINGS, Row};

/// One text under the arm. The first two columns are the notebook's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextRow {
    #[serde(with = "text")]
    pub text: String,
    /// `[512]`, of length 1; a JSON list that reads back bit for bit.
    #[serde(with = "json_list")]
    pub embedding: Vec<f32>,
    pub kind: TextKind,
    /// Of a caption its `ytid`; of a descriptor its number, from 1.
    #[serde(with = "text")]
    pub id: String,
    /// How often the text occurs.
    pub count: usize,
}

impl Row for TextRow {
    const FILE: &'static str = "embeddings.csv";
    const LARGEST: u64 = LARGEST_WITH_EMBEDDINGS;
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextKind {
    Caption,
    Descriptor,
}

impl TextKind {
    /// As the column has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caption => "caption",
            Self::Descriptor => "descriptor",
        }
    }
}

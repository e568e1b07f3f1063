//! What the models of a run have computed, and what comes of it.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::tsne::TsneSettings;
use anyhow::Result;
use clap_audio::Crops;
use pipelines::windows::{Windowed, Windows};

use super::maps::MapRecord;
use crate::labels::Labels;
use crate::spec::{Piece, Text};

/// A run whose embeddings are there.
pub struct Computed<'r> {
    /// Where results go.
    pub folder: &'r Path,
    pub seed: u64,
    pub tsne: &'r TsneSettings,
    /// How pieces were heard in windows, if they were.
    pub windows: Option<Windows>,
    /// What the labels of pieces are called, and their order.
    pub labels: Labels,
    /// In their order.
    pub arms: Vec<ComputedArm<'r>>,
    /// In their order; empty of a run of texts.
    pub pieces: &'r [Piece],
    /// Of a run of texts.
    pub texts: &'r [Text],
    pub embeddings: &'r dyn Embeddings,
}

/// An arm of such a run.
pub struct ComputedArm<'r> {
    pub name: &'r str,
    /// Whether its model has fusion.
    pub fusion: Option<bool>,
    /// What tables and figures call each set of pieces under it.
    conditions: BTreeMap<&'r str, String>,
}

impl<'r> ComputedArm<'r> {
    /// One of `arms` arms that score `pieces`.
    pub fn new(name: &'r str, fusion: Option<bool>, arms: usize, pieces: &'r [Piece]) -> Self {
        let mut conditions = BTreeMap::new();
        for set in pieces.iter().filter_map(|piece| piece.set.as_deref()) {
            conditions.entry(set).or_insert_with(|| match arms {
                1 => set.to_owned(),
                _ => format!("{set}, {name}"),
            });
        }
        Self {
            name,
            fusion,
            conditions,
        }
    }

    /// What tables and figures group a piece by: the arm, or its set under the arm.
    pub fn condition(&self, piece: &Piece) -> &str {
        let set = piece
            .set
            .as_deref()
            .and_then(|set| self.conditions.get(set));
        set.map_or(self.name, String::as_str)
    }
}

/// The embeddings of a run, of length 1 each. They need not fit into memory: who wants many asks for some at a time.
pub trait Embeddings: Sync {
    /// Those of pieces under an arm, by the pieces' keys and in their order, with the crops that were heard.
    ///
    /// # Errors
    /// When one is not there, or cannot be read.
    fn clips(&self, arm: &str, keys: &[&str]) -> Result<Vec<(Vec<f32>, Crops)>>;

    /// The windows of pieces that were heard in such, likewise.
    ///
    /// # Errors
    /// When those of a piece are not there, or cannot be read.
    fn windows(&self, arm: &str, keys: &[&str]) -> Result<Vec<Windowed>>;

    /// Those of texts under an arm, in their order.
    ///
    /// # Errors
    /// When one is not there, or cannot be read.
    fn texts(&self, arm: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>>;
}

/// What is known of a run once its CSVs are written.
pub struct Results {
    /// What the manifest says of the maps.
    pub maps: Vec<MapRecord>,
    /// The most important numbers, as plain text; each line ends with a line feed.
    pub told: String,
}

//! What the models of a run have computed, and what comes of it.

use std::path::Path;

use analysis::tsne::TsneSettings;
use clap_audio::Crops;

use super::maps::MapRecord;
use crate::spec::{Piece, Text};

/// A run whose embeddings are there.
pub struct Computed<'r> {
    /// Where results go.
    pub folder: &'r Path,
    pub seed: u64,
    pub tsne: &'r TsneSettings,
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
}

/// The embeddings of a run, of length 1 each.
pub trait Embeddings {
    /// That of a piece under an arm, by the piece's key, and the crops that were heard.
    fn clip(&self, arm: &str, key: &str) -> Option<(&[f32], Crops)>;

    /// That of a text under an arm.
    fn text(&self, arm: &str, text: &str) -> Option<&[f32]>;
}

/// What is known of a run once its CSVs are written.
pub struct Results {
    /// What the manifest says of the maps.
    pub maps: Vec<MapRecord>,
    /// The most important numbers, as plain text; each line ends with a line feed.
    pub told: String,
}

//! A graph on disk.

use std::path::PathBuf;

use onnx_graph::Precision;

/// A graph on disk, its weights beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFile {
    pub path: PathBuf,
    /// Of the graph's own file, and of that of its weights: together a key for what is made of it.
    pub sha256: String,
    pub weights_sha256: String,
    /// What to compute in, for providers that are told so.
    pub precision: Precision,
}

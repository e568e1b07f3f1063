//! What a finished export says of itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use checkpoint::musicgen::MusicgenConfig;
use foreign::{Foreign, words};
use onnx_graph::{Element, Precision};
use ort_runtime::GraphFile;
use serde::{Deserialize, Serialize};

use super::{CacheForm, ExportError};

/// What the folder says of itself; it is written last.
pub(super) const MANIFEST: &str = "export.json";

/// One graph of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportedGraph {
    /// What the provider is to compute in: the export's precision, or fp32 where that would cost too much accuracy.
    pub precision: Precision,
    /// File name of the graph in its folder; its weights are in the same name with `.data` behind.
    pub file: String,
    pub sha256: String,
    pub weights_sha256: String,
    /// Graph and weights together.
    pub bytes: u64,
}

/// The cache of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoderCache {
    pub form: CacheForm,
    pub element: Element,
    /// Whether the graph attends to it with one operator, which wants to know how much of it is filled.
    pub fused: bool,
}

/// A finished export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exported {
    #[serde(skip)]
    pub folder: PathBuf,
    pub exporter_version: u32,
    pub checkpoint_sha256: String,
    /// What was asked for; a graph may compute in another ([`ExportedGraph::precision`]).
    pub precision: Precision,
    /// How the caller of a decoder keeps its cache, and what that holds.
    pub cache: DecoderCache,
    /// Whether a decoder chooses the codes itself ([`Target::chooses_codes`]).
    pub chooses_codes: bool,
    /// As the tensors say, for example `htsat-base, fusion off`.
    pub architecture: String,
    pub model: ExportedModel,
    /// By name.
    pub graphs: BTreeMap<String, ExportedGraph>,
    pub export_s: f64,
}

impl Exported {
    /// The graph `name`, as sessions load it.
    pub fn graph(&self, name: &str) -> Result<GraphFile, ExportError> {
        match self.graphs.get(name) {
            Some(graph) => Ok(GraphFile {
                path: self.folder.join(&graph.file),
                sha256: graph.sha256.clone(),
                weights_sha256: graph.weights_sha256.clone(),
                precision: graph.precision,
            }),
            None => Err(ExportError::Damaged {
                folder: self.folder.clone(),
                detail: words!("{} names no graph {}", MANIFEST, Foreign::new(name)),
            }),
        }
    }

    /// All graphs together.
    pub fn bytes(&self) -> u64 {
        self.graphs.values().map(|graph| graph.bytes).sum()
    }

    /// What a CLAP model's pipelines need to know.
    pub fn clap(&self) -> Result<&ExportedClap, ExportError> {
        match &self.model {
            ExportedModel::Clap(clap) => Ok(clap),
            ExportedModel::Musicgen(_) => Err(ExportError::Kind("a MusicGen model, not CLAP")),
        }
    }

    /// What a MusicGen model's pipelines need to know.
    pub fn musicgen(&self) -> Result<&MusicgenConfig, ExportError> {
        match &self.model {
            ExportedModel::Musicgen(config) => Ok(config),
            ExportedModel::Clap(_) => Err(ExportError::Kind("a CLAP model, not MusicGen")),
        }
    }
}

/// What an export says of its model.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ExportedModel {
    Clap(ExportedClap),
    Musicgen(Box<MusicgenConfig>),
}

/// What the pipelines of CLAP need to know beside the graphs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportedClap {
    pub fusion: bool,
    pub joint_dim: usize,
    /// Rows of the word embeddings.
    pub vocab: usize,
    /// Id of the padding token.
    pub pad_id: usize,
}

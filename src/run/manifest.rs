//! `manifest.json`: what made the numbers of a run folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use onnx_export::ExportedGraph;
use pipelines::musicgen::GenerationSettings;
use serde::Serialize;
use serde_json::Value;

use super::listed::PiecesFile;
use super::shards::Taken;
use crate::model::FileRecord;
use crate::results::maps::MapRecord;
use crate::spec::Audio;

#[derive(Debug, Serialize)]
pub(super) struct Manifest {
    /// See `tables::manifest`.
    pub format: u64,
    pub experiment: String,
    pub notebook: Option<String>,
    /// Hash of the settings that count; folders with another are other runs.
    pub identity: String,
    pub seed: u64,
    pub crops: CropsRecord,
    /// Whether bundled models and shortened settings were used.
    pub demo: bool,
    /// Numbers from random weights mean nothing.
    pub random_weights: bool,
    /// The run that made the pieces, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces_from: Option<SourceRecord>,
    /// The sets of pieces that are compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetRecord>,
    pub pieces: usize,
    /// Of a large run: the file that has its pieces, which the settings then have not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces_file: Option<PiecesFile>,
    /// Of a large run: how many pieces its figures, maps and clusters are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// Captions and descriptors.
    pub texts: usize,
    pub maps: Vec<MapRecord>,
    pub skipped: usize,
    pub arms: Vec<ArmRecord>,
    /// How the pieces were made, when this run made them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<GenerationRecord>,
    pub runtime: RuntimeRecord,
    /// The shares that were computed elsewhere; `runtime` is that of the process that put them together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<Taken>,
    pub harness: Program,
    /// The experiment as it was understood, with every override and every piece.
    pub settings: Value,
    pub times: Times,
}

#[derive(Debug, Serialize)]
pub(super) struct CropsRecord {
    pub policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct SourceRecord {
    pub folder: PathBuf,
    pub experiment: String,
    pub identity: String,
}

#[derive(Debug, Serialize)]
pub(super) struct SetRecord {
    pub name: String,
    pub audio: Audio,
    /// The run that made the pieces, where one did.
    pub from: Option<SourceRecord>,
}

#[derive(Debug, Serialize)]
pub(super) struct ArmRecord {
    pub name: String,
    #[serde(flatten)]
    pub model: ModelRecord,
    pub fusion_shrink: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct GenerationRecord {
    /// Of the pieces, in Hz.
    pub sampling_rate: usize,
    /// As the generator took them.
    pub settings: GenerationSettings,
    pub model: ModelRecord,
    /// In the order of the settings' pieces, each of which has the path of its file. Not in the manifest of a large run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<PieceRecord>,
}

#[derive(Debug, Serialize)]
pub(super) struct PieceRecord {
    pub id: String,
    /// Of the file.
    pub sha256: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ModelRecord {
    pub card: String,
    /// File name of the checkpoint.
    pub checkpoint: String,
    pub checkpoint_sha256: String,
    pub files: Vec<FileRecord>,
    pub tokenizer: FileRecord,
    pub licence: String,
    /// The hub's repository of the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What the card says to cite: keys of `assets/references.bib`.
    pub cite: Vec<String>,
    pub architecture: String,
    /// Tensors of the checkpoint that nothing needed and that such checkpoints are not known to carry.
    pub leftover_tensors: Vec<String>,
    pub exporter_version: u32,
    pub graphs: BTreeMap<String, GraphRecord>,
}

#[derive(Debug, Serialize)]
pub(super) struct GraphRecord {
    pub path: PathBuf,
    #[serde(flatten)]
    pub graph: ExportedGraph,
    /// Nodes by the provider that they ran on, from the process that finished this graph's work.
    pub nodes_ran_on: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct RuntimeRecord {
    pub provider: String,
    pub device: Option<u32>,
    pub precision: String,
    pub threads: usize,
    /// Version of the ONNX Runtime package, or how its library was named.
    pub onnxruntime: String,
    /// In the library's own words, from the process that computed last.
    pub build: String,
    pub library_sha256: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Program {
    pub version: &'static str,
    /// Of the sources, where the build was told: `HARNESS_COMMIT` in its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Times {
    /// Of the process that finished the run, UTC.
    pub started: String,
    pub finished: String,
    pub seconds: f64,
}

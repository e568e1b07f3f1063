//! Where exported graphs live: `<models>/graphs/<key>/`, one folder an export, whole or absent.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{EXPORTER_VERSION, ExportError, ExportedClap, ExportedModel, ModelWeights};
use crate::checkpoint::musicgen::MusicgenConfig;
use crate::files;
use crate::hub;
use crate::onnx::{GraphBuilder, WeightsFile};
use crate::precision::Precision;
use crate::progress::note;
use crate::runtime::GraphFile;

/// What the folder says of itself; it is written last.
const MANIFEST: &str = "export.json";

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

/// A finished export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exported {
    #[serde(skip)]
    pub folder: PathBuf,
    pub exporter_version: u32,
    pub checkpoint_sha256: String,
    pub precision: Precision,
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
                precision: graph.precision,
            }),
            None => Err(ExportError::Damaged {
                folder: self.folder.clone(),
                detail: format!("{MANIFEST} names no graph {name}"),
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

/// The folder of an export: the content that makes it, in short.
fn folder_of(graphs: &Path, checkpoint_sha256: &str, precision: Precision) -> PathBuf {
    let key = format!("{checkpoint_sha256} exporter {EXPORTER_VERSION} {precision}");
    graphs.join(&files::sha256_bytes(key.as_bytes())[..24])
}

/// The finished export of a checkpoint, if `graphs` has it.
pub fn find(
    graphs: &Path,
    checkpoint_sha256: &str,
    precision: Precision,
) -> Result<Option<Exported>, ExportError> {
    let folder = folder_of(graphs, checkpoint_sha256, precision);
    let damaged = |detail: String| ExportError::Damaged {
        folder: folder.clone(),
        detail,
    };
    let text = match fs::read_to_string(folder.join(MANIFEST)) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound && !folder.exists() => return Ok(None),
        Err(e) => return Err(damaged(format!("{MANIFEST}: {e}"))),
    };
    let mut found: Exported =
        serde_json::from_str(&text).map_err(|e| damaged(format!("{MANIFEST}: {e}")))?;
    for graph in found.graphs.values() {
        for (name, sha256) in [
            (graph.file.clone(), &graph.sha256),
            (format!("{}.data", graph.file), &graph.weights_sha256),
        ] {
            // Remembered while the file stays as it was, so this reads hundreds of megabytes only once.
            let found = hub::remembered_sha256(&folder.join(&name));
            let (found, _) = found.map_err(|e| damaged(format!("{name}: {e}")))?;
            if found != *sha256 {
                return Err(damaged(format!("{name} is not what was written")));
            }
        }
    }
    found.folder = folder;
    Ok(Some(found))
}

/// Export every graph of a checkpoint into `graphs`, or return what an earlier export left there.
///
/// A damaged export is made again. Weights go from the memory-mapped checkpoint to disk one at a time. A process that
/// is killed leaves a folder that the next export removes; two at once wait for each other.
pub fn export(
    graphs: &Path,
    weights: &ModelWeights,
    checkpoint_sha256: &str,
    precision: Precision,
) -> Result<Exported, ExportError> {
    let at = |source| ExportError::Folder {
        folder: graphs.to_owned(),
        source,
    };
    if let Ok(Some(found)) = find(graphs, checkpoint_sha256, precision) {
        return Ok(found);
    }
    fs::create_dir_all(graphs).map_err(at)?;
    let lock = File::create(graphs.join(".lock")).map_err(at)?;
    lock.lock().map_err(at)?;
    match find(graphs, checkpoint_sha256, precision) {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => {}
        Err(damaged @ ExportError::Damaged { .. }) => {
            note(format!("{damaged}; it is made again"));
            fs::remove_dir_all(folder_of(graphs, checkpoint_sha256, precision)).map_err(at)?;
        }
        Err(other) => return Err(other),
    }
    for left in files::parts(graphs).map_err(at)? {
        fs::remove_dir_all(left).map_err(at)?;
    }
    weights.check()?;

    let started = Instant::now();
    let part = tempfile::Builder::new()
        .prefix(files::PART)
        .tempdir_in(graphs)
        .map_err(at)?;
    let written = weights.write(part.path()).map_err(|e| match e {
        ExportError::Write(source) => at(source),
        other => other,
    })?;
    let mut exported = Exported {
        folder: PathBuf::new(),
        exporter_version: EXPORTER_VERSION,
        checkpoint_sha256: checkpoint_sha256.to_owned(),
        precision,
        architecture: weights.architecture(),
        model: weights.exported(),
        graphs: written,
        export_s: started.elapsed().as_secs_f64(),
    };
    let manifest = serde_json::to_vec_pretty(&exported).map_err(|e| at(e.into()))?;
    files::write_bytes(&part.path().join(MANIFEST), &manifest).map_err(at)?;
    let folder = folder_of(graphs, checkpoint_sha256, precision);
    fs::rename(part.path(), &folder).map_err(at)?;
    exported.folder = folder;
    Ok(exported)
}

/// Write the graph `name` and its weights into `folder`.
pub(super) fn write_graph(
    folder: &Path,
    name: &str,
    build: impl FnOnce(&mut GraphBuilder) -> Result<(), ExportError>,
) -> Result<ExportedGraph, ExportError> {
    let file = format!("{name}.onnx");
    let weights_path = folder.join(format!("{file}.data"));
    let mut weights = WeightsFile::create(&weights_path)?;
    let mut graph = GraphBuilder::new(name, &mut weights);
    build(&mut graph)?;
    let bytes = graph.encode(&[("exporter_version", EXPORTER_VERSION.to_string())]);
    let weights_bytes = weights.finish()?;
    files::write_bytes(&folder.join(&file), &bytes)?;
    Ok(ExportedGraph {
        precision: Precision::Fp32,
        file,
        sha256: files::sha256_bytes(&bytes),
        weights_sha256: files::sha256_file(&weights_path)?,
        bytes: bytes.len() as u64 + weights_bytes,
    })
}

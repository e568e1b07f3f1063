//! Where exported graphs live: `<models>/graphs/<key>/`, one folder an export, whole or absent.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use checkpoint::musicgen::MusicgenConfig;
use files::{self, PartFolder, regular};
use foreign::words;
use foreign::{Foreign, Words};
use onnx_graph::Precision;
use onnx_graph::{Element, GraphBuilder, WeightsFile};
use ort_runtime::GraphFile;
use process::progress::note;
use serde::{Deserialize, Serialize};

use super::musicgen::CacheScales;
use super::{
    CacheForm, EXPORTER_VERSION, ExportError, ExportedClap, ExportedModel, ModelWeights, Target,
};

/// What the folder says of itself; it is written last.
const MANIFEST: &str = "export.json";
/// It takes some kilobytes.
const LARGEST_MANIFEST: u64 = 16 << 20;

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

/// The folder of an export: the content that makes it, in short.
fn folder_of(graphs: &Path, checkpoint_sha256: &str, target: Target) -> PathBuf {
    let key = format!(
        "{checkpoint_sha256} exporter {EXPORTER_VERSION} {}",
        target.key()
    );
    graphs.join(&files::sha256_bytes(key.as_bytes())[..24])
}

/// The finished export of a checkpoint, if `graphs` has it.
pub fn find(
    graphs: &Path,
    checkpoint_sha256: &str,
    target: Target,
) -> Result<Option<Exported>, ExportError> {
    let folder = folder_of(graphs, checkpoint_sha256, target);
    let damaged = |detail: Words| ExportError::Damaged {
        folder: folder.clone(),
        detail,
    };
    let text = match regular::read_text(&folder.join(MANIFEST), LARGEST_MANIFEST) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound && !folder.exists() => return Ok(None),
        Err(e) => return Err(damaged(words!("{}: {}", MANIFEST, Foreign::said(e)))),
    };
    let mut found: Exported = serde_json::from_str(&text)
        .map_err(|e| damaged(words!("{}: {}", MANIFEST, Foreign::said(e))))?;
    for graph in found.graphs.values() {
        for (name, sha256) in [
            (graph.file.clone(), &graph.sha256),
            (format!("{}.data", graph.file), &graph.weights_sha256),
        ] {
            // Remembered while the file stays as it was, so this reads hundreds of megabytes only once.
            let found = hub::remembered_sha256(&folder.join(&name));
            let (found, _) = found
                .map_err(|e| damaged(words!("{}: {}", Foreign::new(&name), Foreign::said(e))))?;
            if found != *sha256 {
                return Err(damaged(words!(
                    "{} is not what was written",
                    Foreign::new(name)
                )));
            }
        }
    }
    found.folder = folder;
    Ok(Some(found))
}

/// Export every graph of a checkpoint for `target` into `graphs`, or return what an earlier export left there.
/// `cache_scales` has to be there for a target that needs them.
///
/// A damaged export is made again. Weights go from the memory-mapped checkpoint to disk one at a time. A process that
/// is killed leaves a folder that the next export removes; two at once wait for each other.
pub fn export(
    graphs: &Path,
    weights: &ModelWeights,
    checkpoint_sha256: &str,
    target: Target,
    cache_scales: Option<&CacheScales>,
) -> Result<Exported, ExportError> {
    let at = |source| ExportError::Folder {
        folder: graphs.to_owned(),
        source,
    };
    if let Ok(Some(found)) = find(graphs, checkpoint_sha256, target) {
        return Ok(found);
    }
    fs::create_dir_all(graphs).map_err(at)?;
    let lock = files::lock_file(&graphs.join(".lock")).map_err(at)?;
    lock.lock().map_err(at)?;
    match find(graphs, checkpoint_sha256, target) {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => {}
        Err(damaged @ ExportError::Damaged { .. }) => {
            note(format!("{damaged}; it is made again"));
            fs::remove_dir_all(folder_of(graphs, checkpoint_sha256, target)).map_err(at)?;
        }
        Err(other) => return Err(other),
    }
    files::sweep(graphs).map_err(at)?;
    weights.check()?;

    let started = Instant::now();
    let part = PartFolder::new_in(graphs).map_err(at)?;
    // Graphs that are the same for both are linked, not written again.
    let reference = match target.shares_with_reference() {
        true => find(graphs, checkpoint_sha256, Target::REFERENCE).unwrap_or_default(),
        false => None,
    };
    let plan = WritePlan {
        target,
        cache_scales,
        reference: reference.as_ref(),
    };
    let written = weights.write(part.path(), &plan).map_err(|e| match e {
        ExportError::Write(source) => at(source),
        other => other,
    })?;
    let mut exported = Exported {
        folder: PathBuf::new(),
        exporter_version: EXPORTER_VERSION,
        checkpoint_sha256: checkpoint_sha256.to_owned(),
        precision: target.precision,
        cache: DecoderCache {
            form: target.cache_form(),
            element: target.cache_element(),
            fused: target.fuses_cached_attention(),
        },
        chooses_codes: target.chooses_codes(),
        architecture: weights.architecture(),
        model: weights.exported(),
        graphs: written,
        export_s: started.elapsed().as_secs_f64(),
    };
    let manifest = serde_json::to_vec_pretty(&exported).map_err(|e| at(e.into()))?;
    files::write_bytes(&part.path().join(MANIFEST), &manifest).map_err(at)?;
    let folder = folder_of(graphs, checkpoint_sha256, target);
    part.persist(&folder).map_err(at)?;
    exported.folder = folder;
    Ok(exported)
}

/// What graphs are written from, beside the weights.
pub(super) struct WritePlan<'a> {
    pub target: Target,
    pub cache_scales: Option<&'a CacheScales>,
    /// The finished export of [`Target::REFERENCE`], if some graphs may be taken from it.
    pub reference: Option<&'a Exported>,
}

/// A graph of another export in `folder` too, as the same file on disk; `None` where it cannot be linked. Then the graph's own
/// file, which is replaced and never written into, may be left.
fn link_graph(folder: &Path, from: &Exported, name: &str) -> Option<ExportedGraph> {
    let graph = from.graphs.get(name)?;
    for file in [graph.file.clone(), format!("{}.data", graph.file)] {
        fs::hard_link(from.folder.join(&file), folder.join(&file)).ok()?;
    }
    Some(graph.clone())
}

/// Write the graph `name` and its weights into `folder`.
pub(super) fn write_graph(
    folder: &Path,
    name: &str,
    plan: &WritePlan,
    build: impl FnOnce(&mut GraphBuilder, Precision) -> Result<(), ExportError>,
) -> Result<ExportedGraph, ExportError> {
    let target = plan.target;
    let precision = target.precision_of(name);
    let same = plan.reference.filter(|_| target.is_reference_for(name));
    if let Some(linked) = same.and_then(|reference| link_graph(folder, reference, name)) {
        return Ok(linked);
    }
    let file = format!("{name}.onnx");
    let weights_path = folder.join(format!("{file}.data"));
    let mut weights = WeightsFile::create(&weights_path)?;
    let mut graph = GraphBuilder::new(name, &mut weights, target.operators());
    build(&mut graph, precision)?;
    let bytes = graph.encode(
        ("harness", env!("CARGO_PKG_VERSION")),
        &[("exporter_version", EXPORTER_VERSION.to_string())],
    );
    let weights_bytes = weights.finish()?;
    files::write_bytes(&folder.join(&file), &bytes)?;
    Ok(ExportedGraph {
        precision,
        file,
        sha256: files::sha256_bytes(&bytes),
        weights_sha256: files::sha256_file(&weights_path)?,
        bytes: bytes.len() as u64 + weights_bytes,
    })
}

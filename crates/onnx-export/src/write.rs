//! One graph and its weights, written into the folder of an export.

use std::fs;
use std::path::Path;

use onnx_graph::{GraphBuilder, Precision, WeightsFile};

use super::exported::{Exported, ExportedGraph};
use super::musicgen::CacheScales;
use super::{EXPORTER_VERSION, ExportError, Target};

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

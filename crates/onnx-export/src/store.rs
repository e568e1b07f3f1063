//! Where exported graphs live: `<models>/graphs/<key>/`, one folder an export, whole or absent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use files::{self, PartFolder, regular};
use foreign::words;
use foreign::{Foreign, Words};
use process::progress::note;

use super::exported::{DecoderCache, Exported, MANIFEST};
use super::musicgen::CacheScales;
use super::write::WritePlan;
use super::{EXPORTER_VERSION, ExportError, ModelWeights, Target};

/// It takes some kilobytes.
const LARGEST_MANIFEST: u64 = 16 << 20;

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

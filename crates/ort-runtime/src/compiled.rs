//! Folders for what providers compile of graphs: once for each graph, arithmetic, provider and version of its library.

use std::fs;
use std::path::{Path, PathBuf};

use files::cache;

use super::error::SessionError;
use super::found::{Library, Origin};
use super::graph_file::GraphFile;
use super::providers::Provider;

/// Digits of a hash that are enough to tell one file from another.
const DIGITS: usize = 16;

/// Whether the provider keeps what it compiles. The CPU's own optimisations take a fraction of the loading.
pub(super) fn is_used(provider: Provider) -> bool {
    match provider {
        Provider::OpenVino | Provider::TensorRt | Provider::CoreMl => true,
        Provider::Cpu
        | Provider::Cuda
        | Provider::DirectMl
        | Provider::MiGraphX
        | Provider::WebGpu => false,
    }
}

/// The name of the folder of a provider and its library, which says of itself that it is `build`.
pub(super) fn folder_of(provider: Provider, library: &Library, build: &str) -> String {
    match library.origin {
        Origin::Cache | Origin::Installed => format!("{provider}-{}", library.version),
        // Its version may not be known, and two builds of a version differ.
        Origin::Environment | Origin::Loader | Origin::Python => {
            let hash = files::sha256_bytes(build.as_bytes());
            format!("{provider}-{}", &hash[..DIGITS])
        }
    }
}

/// The folder for a graph, made now.
///
/// # Errors
/// When there is no place for the cache or it cannot be written.
pub(super) fn make(
    library: &str,
    provider: Provider,
    graph: &GraphFile,
) -> Result<PathBuf, SessionError> {
    let cache = cache::folder().map_err(|e| SessionError::Cache {
        folder: PathBuf::from("compiled"),
        provider,
        source: std::io::Error::other(e),
    })?;
    let folder = place(&cache, library, graph);
    match fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(source) => Err(SessionError::Cache {
            folder,
            provider,
            source,
        }),
    }
}

fn place(cache: &Path, library: &str, graph: &GraphFile) -> PathBuf {
    // Graphs of two checkpoints of one architecture may differ in their weights alone.
    let key = format!("{} {}", graph.sha256, graph.weights_sha256);
    let hash = &files::sha256_bytes(key.as_bytes())[..DIGITS];
    cache
        .join("compiled")
        .join(library)
        .join(format!("{hash}-{}", graph.precision))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onnx_graph::Precision;

    #[test]
    fn whatever_changes_what_is_compiled_has_another_folder() {
        let library = |origin, version: &str| Library {
            path: PathBuf::from("libonnxruntime.so"),
            version: version.to_owned(),
            origin,
            sha256: None,
            before: vec![],
        };
        let installed = library(Origin::Installed, "1.24.1");
        let name = folder_of(Provider::OpenVino, &installed, "build a");
        assert_eq!(name, "openvino-1.24.1");
        let own = library(Origin::Environment, "unknown (ORT_DYLIB_PATH)");
        let names = ["build a", "build b"].map(|build| folder_of(Provider::OpenVino, &own, build));
        assert_ne!(names[0], names[1]);
        assert!(!names[0].contains(' '));

        let of = |weights: &str, precision| {
            let graph = GraphFile {
                path: PathBuf::from("audio.onnx"),
                sha256: "0123456789abcdef0123".to_owned(),
                weights_sha256: weights.to_owned(),
                precision,
            };
            place(Path::new("cache"), &name, &graph)
        };
        let one = of("a", Precision::Bf16);
        assert!(one.starts_with("cache/compiled/openvino-1.24.1"));
        assert!(one.to_string_lossy().ends_with("-bf16"), "{one:?}");
        assert_eq!(one, of("a", Precision::Bf16));
        assert_ne!(one, of("a", Precision::Fp32));
        assert_ne!(one, of("b", Precision::Bf16));
    }
}

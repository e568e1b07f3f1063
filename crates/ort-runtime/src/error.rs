//! Why a graph could not be loaded or run.

use std::path::PathBuf;

use foreign::Foreign;

use super::library_error::LibraryError;
use super::providers::Provider;

/// Why a graph could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Library(LibraryError),
    #[error(
        "the execution provider {provider} could not start: {}; {way_out}",
        Foreign::said(detail)
    )]
    Provider {
        provider: Provider,
        detail: String,
        way_out: &'static str,
    },
    /// Seen in a process of its own ([`super::trial`]).
    #[error(
        "the execution provider {provider} ends the program that starts it ({how}){}; its driver or its library is at fault: \
         install another version of the driver, or run with --ep cpu",
        said.as_ref().map(|said| format!(", and the last that it said is: {said}")).unwrap_or_default()
    )]
    Ended {
        provider: Provider,
        /// The signal.
        how: String,
        said: Option<String>,
    },
    #[error(
        "cannot load {}: {}; if its folder was made by `harness export`, remove the folder and it is made again",
        graph.display(), Foreign::said(source)
    )]
    Load { graph: PathBuf, source: ort::Error },
    #[error(
        "cannot make the folder {} for what {provider} compiles: {}",
        folder.display(),
        files::advice(source, "HARNESS_CACHE")
    )]
    Cache {
        folder: PathBuf,
        provider: Provider,
        source: std::io::Error,
    },
    /// With the folder and the way out in its words.
    #[error(transparent)]
    Scratch(std::io::Error),
    #[error("cannot run {}: {}", graph.display(), Foreign::said(source))]
    Run { graph: PathBuf, source: ort::Error },
    #[error("{} gave an output of another shape or type than its exporter promised: {}", graph.display(), Foreign::said(detail))]
    Output { graph: PathBuf, detail: String },
}

impl SessionError {
    /// Whether memory ran out, of the machine or of the device: with fewer pieces at once it may be enough.
    pub fn is_out_of_memory(&self) -> bool {
        match self {
            Self::Run { source, .. } | Self::Load { source, .. } => {
                is_out_of_memory(source.message())
            }
            Self::Provider { detail, .. } | Self::Output { detail, .. } => is_out_of_memory(detail),
            Self::Library(_) | Self::Ended { .. } | Self::Cache { .. } | Self::Scratch(_) => false,
        }
    }
}

/// ONNX Runtime has no code for it: what its allocators and the libraries under it say.
fn is_out_of_memory(message: &str) -> bool {
    const SAID: [&str; 9] = [
        // ONNX Runtime's arenas, on any device.
        "Failed to allocate memory for requested buffer",
        "is smaller than requested bytes",
        // C++, as ONNX Runtime hands it on: gcc and clang, then Microsoft's.
        "std::bad_alloc",
        "bad allocation",
        // CUDA and HIP, with cuBLAS, cuDNN and TensorRT on top.
        "out of memory",
        "OUT_OF_MEMORY",
        "STATUS_ALLOC_FAILED",
        // DirectML: E_OUTOFMEMORY and its text.
        "8007000E",
        "Not enough memory",
    ];
    SAID.iter().any(|said| message.contains(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_memory_is_told_from_other_failures() {
        for message in [
            "Non-zero status code returned while running MatMul node. Name:'m' Status Message: bfc_arena.cc:408 \
             Failed to allocate memory for requested buffer of size 8589934592",
            "Available memory of 1024 is smaller than requested bytes of 2048",
            "std::bad_alloc",
            "CUDA failure 2: out of memory ; GPU=0 ; hostname=host ; expr=cudaMalloc((void**)&p, size);",
            "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0",
        ] {
            assert!(is_out_of_memory(message), "{message}");
        }
        for message in [
            "CUDA failure 700: an illegal memory access was encountered",
            "Invalid input name: codes",
            "Load model from decoder.onnx failed: Protobuf parsing failed.",
        ] {
            assert!(!is_out_of_memory(message), "{message}");
        }
    }
}

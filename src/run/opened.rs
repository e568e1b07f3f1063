//! ONNX Runtime, once a process.

use anyhow::Result;
use ort_runtime::Runtime;

/// ONNX Runtime, opened when something is to be computed for the first time.
pub fn opened(
    runtime: &mut Option<Runtime>,
    open: impl FnOnce() -> Result<Runtime>,
) -> Result<&Runtime> {
    match runtime {
        Some(runtime) => Ok(runtime),
        None => Ok(runtime.insert(open()?)),
    }
}

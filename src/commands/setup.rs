//! `harness setup`: the ONNX Runtime build of a provider.

use anyhow::Result;

use crate::progress;
use crate::runtime::{Provider, library};

pub(super) fn setup(provider: Provider) -> Result<()> {
    let library = library::find_or_install(provider, false)?;
    Ok(progress::result(format!(
        "{provider}: ONNX Runtime {} at {}",
        library.version,
        library.path.display()
    ))?)
}

//! `harness setup`: the ONNX Runtime build of a provider, and what it needs beside it.

use anyhow::Result;
use ort_runtime::Provider;
use ort_runtime::fit::{self, Machine};
use ort_runtime::library::Places;
use process::progress;

use super::refused;

pub(crate) fn setup(provider: Provider, own: bool) -> Result<()> {
    let machine = Machine::here(provider);
    fit::exists(&machine, provider).map_err(refused)?;
    let places = Places::of_process()?;
    let places = if own { places.own() } else { places };
    let library = places.find_or_install(provider, false)?;
    progress::result(format!(
        "{provider}: ONNX Runtime {} at {}",
        library.version,
        library.path.display()
    ))?;
    let needs = provider.entry().needs;
    if !needs.is_empty() {
        progress::note(format!("the machine itself has to bring {needs}"));
    }
    Ok(())
}

//! A model's graphs for a target, with what has to be measured before they can be written.

use std::path::Path;

use onnx_export::Target;
use ort_runtime::Runtime;
use pipelines::musicgen::{self, GenerateError};
use process::progress;

use super::{Model, ModelError, Ready};
use crate::card::Kind;

/// The graphs of `model` for `target` under `models`, exported now if they are not there. `runtime` is asked for when the
/// scales of an int8 cache are to be found, which takes the graphs of [`Target::REFERENCE`].
///
/// # Errors
/// Those of the export, of the calibration, and of `runtime`.
pub fn prepare<E: From<ModelError> + From<GenerateError>>(
    model: &Model,
    models: &Path,
    target: Target,
    runtime: impl FnOnce() -> Result<Runtime, E>,
) -> Result<Ready, E> {
    let calibrated = model.card.kind == Kind::Musicgen && target.needs_cache_scales();
    // A damaged export is made again below.
    if !calibrated || matches!(model.exported(models, target), Ok(Some(_))) {
        return Ok(model.export(models, target, None)?);
    }
    let reference = model.export(models, Target::REFERENCE, None)?.export;
    progress::note(format!(
        "{}: finding the scales of its {} cache, once",
        model.card.name, target.precision
    ));
    let scales = musicgen::cache_scales(&runtime()?, &reference, &model.tokenizer.path)?;
    Ok(model.export(models, target, Some(&scales))?)
}

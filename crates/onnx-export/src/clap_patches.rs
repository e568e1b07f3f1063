//! A clip's frames to tokens: patches of the spectrogram through a convolution.
//!
//! Source: `PatchEmbed` of laion_clap's `htsat.py`.

use checkpoint::clap::Htsat;
use onnx_graph::Value;

use super::ExportError;
use super::blocks::Tower;

/// Patches of the first channel through `proj`, in the image's row-major order: `[batch * side^2, D]`.
///
/// The image stacks four blocks of 256 frames: row = block * 64 + mel, column = frame within the block. Its patches
/// are cut straight from the frames, without making the image.
pub(super) fn whole_clip_tokens(
    tower: &mut Tower,
    frames: &Value,
    htsat: &Htsat,
) -> Result<Value, ExportError> {
    let patch = htsat.patch;
    let first = if htsat.fusion {
        tower.graph.slice(frames, 1, 0, 1)?
    } else {
        frames.clone()
    };
    let blocks = htsat.spec_size / htsat.mel_bins;
    let [p, columns, rows] =
        [patch, htsat.spec_size / patch, htsat.mel_bins / patch].map(|n| n as i64);
    // [batch, block, column, x, row, y] to [batch, block, row, column, y, x]
    let split = tower
        .graph
        .reshape(&first, &[-1, blocks as i64, columns, p, rows, p])?;
    let patches = tower.graph.transpose(&split, &[0, 1, 4, 2, 5, 3]);
    let patches = tower.graph.reshape(&patches, &[-1, p * p])?;
    flat_convolution(tower, &patches, "audio_branch.patch_embed.proj")
}

/// A convolution whose kernel covers each patch exactly: `[rows, kernel]` to `[rows, channels out]`.
pub(super) fn flat_convolution(
    tower: &mut Tower,
    patches: &Value,
    name: &str,
) -> Result<Value, ExportError> {
    tower.linear(patches, name)
}

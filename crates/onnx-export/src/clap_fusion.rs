//! Feature fusion of CLAP's audio tower: the shrunk whole clip with three crops of it.
//!
//! Source: Wu et al., LAION-CLAP (arXiv 2211.06687), section 2.4; Dai et al., Attentional Feature Fusion
//! (arXiv 2009.14082); `PatchEmbed` and `AFF` of laion_clap.

use checkpoint::clap::Htsat;
use onnx_graph::Value;

use super::ExportError;
use super::blocks::{FoldedBatchNorm, Layer, Tower};
use super::clap_patches::{flat_convolution, whole_clip_tokens};

const NAME: &str = "audio_branch.patch_embed";
/// A crop's kernel is this many patches wide.
const CROP_WIDTH: usize = 3;

/// Tokens of `frames` `[batch, 4, 1024, 64]`, in the image's row-major order: `[batch * side^2, D]`.
///
/// Every clip goes through both branches and `longer` `[batch]` picks, so that a batch may mix long and short
/// clips; a short one comes out as if there were no fusion, to the last bit.
pub(super) fn tokens(
    tower: &mut Tower,
    frames: &Value,
    longer: &Value,
    htsat: &Htsat,
) -> Result<Value, ExportError> {
    let whole = whole_clip_tokens(tower, frames, htsat)?;
    tower.graph.scope(format!("{NAME}.crops"));
    let crops = crop_tokens(tower, frames, htsat)?;
    let side = htsat.side(0) as i64;
    let grid = [-1, side * side, htsat.embed_dim as i64];
    let whole = tower.graph.reshape(&whole, &grid)?;
    let crops = tower.graph.reshape(&crops, &grid)?;

    tower.graph.scope(format!("{NAME}.fusion_model"));
    let fused = attentional_fusion(tower, &whole, &crops, htsat)?;
    let longer = tower.graph.reshape(longer, &[-1, 1, 1])?;
    let tokens = tower.graph.select(&longer, &fused, &whole);
    Ok(tower
        .graph
        .reshape(&tokens, &[-1, htsat.embed_dim as i64])?)
}

/// The three crops, each cut by a kernel of 4 x 12, side by side; what is left of the width is zeros:
/// `[batch, side, side, D]`.
fn crop_tokens(tower: &mut Tower, frames: &Value, htsat: &Htsat) -> Result<Value, ExportError> {
    let patch = htsat.patch;
    let wide = CROP_WIDTH * patch;
    let [blocks, columns, side] = [
        htsat.spec_size / htsat.mel_bins,
        htsat.spec_size / wide,
        htsat.side(0),
    ];
    let rows = htsat.mel_bins / patch;
    let graph = &mut tower.graph;
    let crops = graph.slice(frames, 1, 1, 1 + CROP_WIDTH as i64)?;
    let [b, c, w, p, r] = [blocks, columns, wide, patch, rows].map(|n| n as i64);
    let crop_count = CROP_WIDTH as i64;
    let split = graph.reshape(
        &crops,
        &[
            -1,
            crop_count,
            b,
            htsat.spec_size as i64,
            htsat.mel_bins as i64,
        ],
    )?;
    let covered = graph.slice(&split, 3, 0, c * w)?;
    // [batch, crop, block, column, x, row, y] to [batch, block, row, crop, column, y, x]
    let split = graph.reshape(&covered, &[-1, crop_count, b, c, w, r, p])?;
    let patches = graph.transpose(&split, &[0, 2, 5, 1, 3, 6, 4]);
    let patches = graph.reshape(&patches, &[-1, p * w])?;
    let tokens = flat_convolution(tower, &patches, &format!("{NAME}.mel_conv2d"))?;
    let filled = CROP_WIDTH * columns;
    let grid = [-1, side as i64, filled as i64, htsat.embed_dim as i64];
    let tokens = tower.graph.reshape(&tokens, &grid)?;
    if filled == side {
        return Ok(tokens);
    }
    Ok(tower.graph.pad_end(&tokens, 4, 2, (side - filled) as i64)?)
}

/// `2 w x + 2 (1 - w) y` with `w = sigmoid(local(x + y) + global(x + y))`, on `[batch, side^2, D]`.
fn attentional_fusion(
    tower: &mut Tower,
    x: &Value,
    y: &Value,
    htsat: &Htsat,
) -> Result<Value, ExportError> {
    let width = htsat.embed_dim as i64;
    let side = htsat.side(0) as i64;
    let sum = tower.graph.add(x, y);
    let local = tower.graph.reshape(&sum, &[-1, width])?;
    let local = bottleneck(tower, &local, &format!("{NAME}.fusion_model.local_att"), 0)?;
    let local = tower.graph.reshape(&local, &[-1, side * side, width])?;
    let global = tower.graph.mean(&sum, 1, false)?;
    let global = bottleneck(
        tower,
        &global,
        &format!("{NAME}.fusion_model.global_att"),
        1,
    )?;
    let global = tower.graph.reshape(&global, &[-1, 1, width])?;
    let both = tower.graph.add(&local, &global);
    let weight = tower.graph.sigmoid(&both);

    let graph = &mut tower.graph;
    let (one, two) = (graph.scalar(1.0), graph.scalar(2.0));
    let rest = graph.sub(&one, &weight);
    let x = graph.mul(x, &weight);
    let y = graph.mul(y, &rest);
    let blend = graph.add(&x, &y);
    Ok(graph.mul(&blend, &two))
}

/// Convolution 1 x 1, batch norm, ReLU, convolution 1 x 1, batch norm, on `[rows, D]`; `first` is the place of the
/// first convolution in the checkpoint's sequence.
fn bottleneck(
    tower: &mut Tower,
    x: &Value,
    name: &str,
    first: usize,
) -> Result<Value, ExportError> {
    let hidden = convolution_and_norm(tower, x, name, first)?;
    let hidden = tower.graph.relu(&hidden);
    convolution_and_norm(tower, &hidden, name, first + 3)
}

fn convolution_and_norm(
    tower: &mut Tower,
    x: &Value,
    name: &str,
    place: usize,
) -> Result<Value, ExportError> {
    let convolution = format!("{name}.{place}");
    let mut weight = tower.values(&format!("{convolution}.weight"))?;
    let mut bias = tower.values(&format!("{convolution}.bias"))?;
    let norm = FoldedBatchNorm::read(tower, &format!("{name}.{}", place + 1))?;
    norm.fold_into(&mut weight, &mut bias);
    let layer = Layer {
        name: convolution,
        inputs: weight.len() / bias.len().max(1),
        weight,
        bias: Some(bias),
    };
    tower.product(x, &layer)
}

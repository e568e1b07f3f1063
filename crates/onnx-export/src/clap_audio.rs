//! The audio tower of CLAP: HTSAT and projection, with and without feature fusion.
//!
//! Source: Chen et al., HTS-AT (arXiv 2202.00874); Wu et al., LAION-CLAP (arXiv 2211.06687);
//! `HTSAT_Swin_Transformer` of laion_clap, `ClapAudioModel` of transformers. Built from the formulas, since a trace
//! bakes in the batch size and the branch for long clips.

use checkpoint::clap::{ClapWeights, Htsat, LAYER_NORM_EPS};
use onnx_graph::Precision;
use onnx_graph::{Axis, Element, GraphBuilder, KeyLayout, Scale, Value};

use super::ExportError;
use super::blocks::{FoldedBatchNorm, Layer, Tower};
use super::centred::{Centred, Range};
use super::clap_fusion;
use super::clap_patches::whole_clip_tokens;
use super::windows::{self, Order};

/// Frames of a ten-second log-mel (48 kHz, hop 480).
const FRAMES: usize = 1001;

/// Build the graph: `log_mel` `[batch, 1 or 4, 1001, 64]` f32 in dB and, with fusion, `longer` `[batch]` bool (the
/// clip has more than ten seconds) to `embedding` `[batch, joint]` f32 of length 1.
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &ClapWeights,
    precision: Precision,
) -> Result<(), ExportError> {
    let architecture = weights.architecture().clone();
    let htsat = &architecture.audio;
    let channels = if htsat.fusion { 4 } else { 1 };
    let mel = graph.input(
        "log_mel",
        Element::Float,
        &[
            Axis::Named("batch"),
            Axis::Fixed(channels),
            Axis::Fixed(FRAMES),
            Axis::Fixed(htsat.mel_bins),
        ],
    );
    let mut tower = Tower {
        graph,
        weights,
        precision,
    };
    let batch = tower.graph.shape_of(&mel, 0, 1);
    let frames = normalise_and_stretch(&mut tower, &mel, htsat)?;

    tower.graph.scope("audio_branch.patch_embed");
    let tokens = if htsat.fusion {
        let longer = tower
            .graph
            .input("longer", Element::Bool, &[Axis::Named("batch")]);
        clap_fusion::tokens(&mut tower, &frames, &longer, htsat)?
    } else {
        whole_clip_tokens(&mut tower, &frames, htsat)?
    };
    let tokens = tower.layer_norm(&tokens, "audio_branch.patch_embed.norm", LAYER_NORM_EPS)?;

    let tokens = stages(&mut tower, tokens, &batch, htsat)?;

    tower.graph.scope("audio_branch.norm");
    let tokens = tower.layer_norm(&tokens, "audio_branch.norm", LAYER_NORM_EPS)?;
    let last = htsat.depths.len() - 1;
    let (side, width) = (htsat.side(last), htsat.dim(last));
    let tokens = tower
        .graph
        .reshape(&tokens, &[-1, (side * side) as i64, width as i64])?;
    let pooled = tower.graph.mean(&tokens, 1, false)?;
    let embedding = tower.project(&pooled, "audio_projection")?;
    let axes = [Axis::Named("batch"), Axis::Fixed(architecture.joint_dim)];
    tower
        .graph
        .output("embedding", &embedding, Element::Float, &axes);
    Ok(())
}

/// `bn0` over the mel bins, then 1001 frames to 1024: `[batch, channels, 1024, 64]`.
fn normalise_and_stretch(
    tower: &mut Tower,
    mel: &Value,
    htsat: &Htsat,
) -> Result<Value, ExportError> {
    tower.graph.scope("audio_branch.bn0");
    let norm = FoldedBatchNorm::read(tower, "audio_branch.bn0")?;
    let scale = tower
        .graph
        .tensor("bn0.scale", &[htsat.mel_bins], &norm.scale)?;
    let shift = tower
        .graph
        .tensor("bn0.shift", &[htsat.mel_bins], &norm.shift)?;
    let mel = tower.graph.mul(mel, &scale);
    let mel = tower.graph.add(&mel, &shift);

    tower.graph.scope("audio_branch.stretch");
    let frames = htsat.spec_size * (htsat.spec_size / htsat.mel_bins);
    let mut sum: Option<Value> = None;
    for (k, (indices, weights)) in bicubic(FRAMES, frames).into_iter().enumerate() {
        let indices = tower.graph.int64(&[frames], &indices)?;
        let name = format!("stretch.tap{k}");
        let weights = tower.graph.tensor(&name, &[frames, 1], &weights)?;
        let tap = tower.graph.gather(&mel, &indices, 2);
        let tap = tower.graph.mul(&tap, &weights);
        sum = Some(match sum {
            Some(sum) => tower.graph.add(&sum, &tap),
            None => tap,
        });
    }
    Ok(sum.unwrap_or(mel))
}

/// Bicubic interpolation from `from` to `to` samples with aligned corners, a = -0.75, clamped at the border: for
/// each of four taps, the source index and the weight of every output.
///
/// Positions and weights are float32, as torch computes them (`upsample_bicubic2d`).
fn bicubic(from: usize, to: usize) -> [(Vec<i64>, Vec<f32>); 4] {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let step = (from - 1) as f32 / (to - 1) as f32;
    let mut taps: [(Vec<i64>, Vec<f32>); 4] = Default::default();
    for i in 0..to {
        let position = step * i as f32;
        let base = position.floor();
        let t = position - base;
        let weights = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
        for (k, weight) in weights.into_iter().enumerate() {
            let index = base as i64 + k as i64 - 1;
            taps[k].0.push(index.clamp(0, from as i64 - 1));
            taps[k].1.push(weight);
        }
    }
    taps
}

/// All Swin stages: `[batch * side(0)^2, D]` in row-major order to `[batch * side(last)^2, 8 D]`.
fn stages(
    tower: &mut Tower,
    mut x: Value,
    batch: &Value,
    htsat: &Htsat,
) -> Result<Value, ExportError> {
    let three_ones = tower.graph.int64(&[3], &[1, 1, 1])?;
    let per_clip = tower.graph.concat(&[batch, &three_ones], 0);
    let mut order: Order = (0..htsat.side(0) * htsat.side(0)).collect();
    for stage in 0..htsat.depths.len() {
        let width = htsat.dim(stage);
        for block in 0..htsat.depths[stage] {
            let name = format!("audio_branch.layers.{stage}.blocks.{block}");
            let wanted = windows::window_order(
                htsat.side(stage),
                htsat.window_at(stage),
                htsat.shift_at(stage, block),
            );
            tower.graph.scope(&name);
            x = reordered(tower, &x, width, &order, &wanted)?;
            order = wanted;
            x = swin_block(tower, &x, &per_clip, htsat, stage, block, &name)?;
        }
        if stage + 1 < htsat.depths.len() {
            let name = format!("audio_branch.layers.{stage}.downsample");
            tower.graph.scope(&name);
            let next = windows::window_order(htsat.side(stage + 1), htsat.window_at(stage + 1), 0);
            let merged = windows::merge_order(htsat.side(stage), &next);
            x = reordered(tower, &x, width, &order, &merged)?;
            order = next;
            x = tower.graph.reshape(&x, &[-1, 4 * width as i64])?;
            x = tower.layer_norm(&x, &format!("{name}.norm"), LAYER_NORM_EPS)?;
            let reduction = Layer::without_bias(tower.weights, &format!("{name}.reduction"))?;
            x = match tower.precision {
                Precision::Int8 => {
                    let mut x = centred(tower, &x, htsat.tokens(stage + 1), reduction.inputs)?;
                    let x = tower.of_both(&mut x, &reduction, Range::Run)?;
                    tower.graph.reshape(&x, &[-1, 2 * width as i64])?
                }
                _ => tower.product(&x, &reduction)?,
            };
        }
    }
    Ok(x)
}

/// Tokens `[batch * n, width]` in another order.
fn reordered(
    tower: &mut Tower,
    x: &Value,
    width: usize,
    from: &[usize],
    to: &[usize],
) -> Result<Value, ExportError> {
    let Some(indices) = windows::reorder(from, to) else {
        return Ok(x.clone());
    };
    let clips = tower
        .graph
        .reshape(x, &[-1, from.len() as i64, width as i64])?;
    let indices = tower.graph.int64(&[indices.len()], &indices)?;
    let moved = tower.graph.gather(&clips, &indices, 1);
    Ok(tower.graph.reshape(&moved, &[-1, width as i64])?)
}

/// One pre-norm Swin block on tokens `[batch * n, width]` that lie in the order of its windows. `per_clip` is
/// `[batch, 1, 1, 1]`.
fn swin_block(
    tower: &mut Tower,
    x: &Value,
    per_clip: &Value,
    htsat: &Htsat,
    stage: usize,
    block: usize,
    name: &str,
) -> Result<Value, ExportError> {
    let width = htsat.dim(stage);
    tower.graph.scope(format!("{name}.attn"));
    let normed = tower.layer_norm(x, &format!("{name}.norm1"), LAYER_NORM_EPS)?;
    let bias = window_bias(tower, per_clip, htsat, stage, block, name)?;
    let attended = match tower.precision {
        Precision::Int8 => centred_attention(tower, &normed, &bias, htsat, stage, name)?,
        _ => attention(tower, &normed, &bias, htsat, stage, name)?,
    };
    let x = tower.graph.add(x, &attended);

    tower.graph.scope(format!("{name}.mlp"));
    let normed = tower.layer_norm(&x, &format!("{name}.norm2"), LAYER_NORM_EPS)?;
    let [fc1, fc2] = ["fc1", "fc2"].map(|fc| format!("{name}.mlp.{fc}"));
    let outer = match tower.precision {
        Precision::Int8 => {
            let tokens = htsat.tokens(stage);
            let [fc1, fc2] = [
                Layer::read(tower.weights, &fc1)?,
                Layer::read(tower.weights, &fc2)?,
            ];
            let mut normed = centred(tower, &normed, tokens, width)?;
            let inner = tower.of_both(&mut normed, &fc1, Range::Run)?;
            let inner = tower.graph.gelu(&inner);
            let mut inner = centred(tower, &inner, tokens, fc2.inputs)?;
            let outer = tower.of_both(&mut inner, &fc2, Range::Run)?;
            tower.graph.reshape(&outer, &[-1, width as i64])?
        }
        _ => {
            let inner = tower.linear(&normed, &fc1)?;
            let inner = tower.graph.gelu(&inner);
            tower.linear(&inner, &fc2)?
        }
    };
    Ok(tower.graph.add(&x, &outer))
}

/// What is added to the scores: `[windows, heads, window^2, window^2]` of one clip or, where windows differ, of all.
fn window_bias(
    tower: &mut Tower,
    per_clip: &Value,
    htsat: &Htsat,
    stage: usize,
    block: usize,
    name: &str,
) -> Result<Value, ExportError> {
    let (side, window, heads) = (
        htsat.side(stage),
        htsat.window_at(stage),
        htsat.heads[stage],
    );
    let table_name = format!("{name}.attn.relative_position_bias_table");
    let table = tower.values(&table_name)?;
    let shift = htsat.shift_at(stage, block);
    let (windows, bias) = windows::attention_bias(&table, heads, side, window, shift);
    let shape = [windows, heads, window * window, window * window];
    let bias = tower.graph.tensor(&table_name, &shape, &bias)?;
    Ok(match windows {
        1 => bias,
        _ => tower.graph.tile(&bias, per_clip),
    })
}

/// Windowed attention of `normed` `[batch * n, width]`, as many rows.
fn attention(
    tower: &mut Tower,
    normed: &Value,
    bias: &Value,
    htsat: &Htsat,
    stage: usize,
    name: &str,
) -> Result<Value, ExportError> {
    let mut projected = Vec::with_capacity(3);
    for layer in split_qkv(tower, name, htsat.dim(stage))? {
        projected.push(tower.product(normed, &layer)?);
    }
    let attended = in_windows(tower, &projected, bias, htsat, stage)?;
    let attended = tower
        .graph
        .reshape(&attended, &[-1, htsat.dim(stage) as i64])?;
    tower.linear(&attended, &format!("{name}.attn.proj"))
}

/// The same in int8 (see [`super::centred`]).
fn centred_attention(
    tower: &mut Tower,
    normed: &Value,
    bias: &Value,
    htsat: &Htsat,
    stage: usize,
    name: &str,
) -> Result<Value, ExportError> {
    let (tokens, width) = (htsat.tokens(stage), htsat.dim(stage));
    let mut normed = centred(tower, normed, tokens, width)?;
    let [query, key, value] = split_qkv(tower, name, width)?;
    let centre = tower.of_centre(&normed, &value)?;
    let projected = [
        tower.of_both(&mut normed, &query, Range::Run)?,
        tower.of_rest(&mut normed, &key, Range::Run)?,
        tower.of_rest(&mut normed, &value, Range::Run)?,
    ];
    let rest = in_windows(tower, &projected, bias, htsat, stage)?;
    let by_clip = [-1, tokens as i64, width as i64];
    let rest = tower.graph.reshape(&rest, &by_clip)?;
    let mut attended = Centred::of(rest, centre);
    let layer = Layer::read(tower.weights, &format!("{name}.attn.proj"))?;
    let attended = tower.of_both(&mut attended, &layer, Range::Run)?;
    Ok(tower.graph.reshape(&attended, &[-1, width as i64])?)
}

/// Queries, keys and values window by window: `[batch * windows, window^2, width]`.
fn in_windows(
    tower: &mut Tower,
    qkv: &[Value],
    bias: &Value,
    htsat: &Htsat,
    stage: usize,
) -> Result<Value, ExportError> {
    let (width, heads, window) = (htsat.dim(stage), htsat.heads[stage], htsat.window_at(stage));
    let shape = [-1, (window * window) as i64, width as i64];
    let mut by_window = Vec::with_capacity(3);
    for part in qkv {
        by_window.push(tower.graph.reshape(part, &shape)?);
    }
    Ok(tower.graph.multi_head_attention(
        [&by_window[0], &by_window[1], &by_window[2]],
        KeyLayout::Tokens,
        heads,
        Scale::HeadDim(width / heads),
        &Value::none(),
        bias,
    )?)
}

/// The tokens of each clip, `[batch * tokens, width]` or `[batch, tokens, width]`, around their mean.
fn centred(
    tower: &mut Tower,
    x: &Value,
    tokens: usize,
    width: usize,
) -> Result<Centred, ExportError> {
    let by_clip = [-1, tokens as i64, width as i64];
    let x = tower.graph.reshape(x, &by_clip)?;
    let share = vec![1.0 / tokens as f32; tokens];
    let shares = tower
        .graph
        .shared(&format!("share_of_{tokens}"), &[1, 1, tokens], &share)?;
    Ok(tower.centred(&x, &shares, width)?)
}

/// The layers of queries, keys and values `[width, width]`, which the checkpoint holds one after another.
fn split_qkv(
    tower: &Tower<'_, '_, '_>,
    name: &str,
    width: usize,
) -> Result<[Layer; 3], ExportError> {
    let name = format!("{name}.attn.qkv");
    let all = Layer::read(tower.weights, &name)?;
    let bias = all.bias.unwrap_or_default();
    Ok(
        [(0, "query"), (1, "key"), (2, "value")].map(|(part, of)| Layer {
            name: format!("{name}.{of}"),
            weight: all.weight[part * width * width..][..width * width].to_vec(),
            bias: Some(bias[part * width..][..width].to_vec()),
            inputs: width,
        }),
    )
}

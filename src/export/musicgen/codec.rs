//! EnCodec's decoder: codes to audio.
//!
//! Source: Défossez et al., High Fidelity Neural Audio Compression (arXiv 2210.13438); `EncodecModel.decode` of
//! transformers: non-causal, reflect padding, transposed convolutions trimmed on both sides.

use crate::checkpoint::musicgen::MusicgenWeights;
use crate::onnx::{Axis, Element, GraphBuilder, Value};

use super::super::ExportError;
use super::MusicgenTower;

const LAYERS: &str = "audio_encoder.decoder.layers";

/// Build the graph: `codes` `[pieces, codebooks, frames]` i64 to `audio` `[pieces, samples]`.
pub(super) fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
) -> Result<(), ExportError> {
    let codec = weights.config().codec.clone();
    let axes = [
        Axis::Named("pieces"),
        Axis::Fixed(codec.codebooks),
        Axis::Named("frames"),
    ];
    let codes = graph.input("codes", Element::Int64, &axes);
    let mut tower = MusicgenTower { graph, weights };
    let x = quantised(&mut tower, &codes)?;
    let mut x = first(&mut tower, &x)?;
    x = lstm(&mut tower, &x)?;
    let mut index = 2;
    for &ratio in &codec.ratios {
        tower.graph.scope(format!("{LAYERS}.{}", index + 1));
        x = tower.graph.elu(&x);
        let name = format!("{LAYERS}.{}.conv", index + 1);
        let weight = tower.weight(&format!("{name}.weight"))?;
        let bias = tower.weight(&format!("{name}.bias"))?;
        x = tower
            .graph
            .transposed_convolution(&x, &weight, &bias, ratio);
        // Twice the ratio was the kernel, so a ratio is too much.
        let right = ratio / 2;
        let left = ratio - right;
        let end = if right == 0 {
            i64::MAX
        } else {
            -(right as i64)
        };
        x = tower.graph.slice(&x, 2, left as i64, end)?;
        index += 2;
        for layer in 0..codec.residual_layers {
            let block = format!("{LAYERS}.{index}.block");
            tower.graph.scope(block.clone());
            let dilation = codec.dilation_growth_rate.pow(layer as u32);
            let inner = tower.graph.elu(&x);
            let kernel = codec.residual_kernel_size;
            let inner = same(
                &mut tower,
                &inner,
                &format!("{block}.1.conv"),
                kernel,
                dilation,
            )?;
            let inner = tower.graph.elu(&inner);
            let inner = same(&mut tower, &inner, &format!("{block}.3.conv"), 1, 1)?;
            x = tower.graph.add(&x, &inner);
            index += 1;
        }
    }
    tower.graph.scope(format!("{LAYERS}.{}", index + 1));
    let x = tower.graph.elu(&x);
    let name = format!("{LAYERS}.{}.conv", index + 1);
    let x = same(&mut tower, &x, &name, codec.last_kernel_size, 1)?;
    let shape = tower.graph.shape_of(&x, 0, 1);
    let rest = tower.graph.int64(&[1], &[-1])?;
    let shape = tower.graph.concat(&[&shape, &rest], 0);
    let audio = tower.graph.reshape_to(&x, &shape);
    let axes = [Axis::Named("pieces"), Axis::Named("samples")];
    tower.graph.output("audio", &audio, Element::Float, &axes);
    Ok(())
}

/// The sum of the codebooks' rows `[pieces, frames, hidden]`.
fn quantised(tower: &mut MusicgenTower, codes: &Value) -> Result<Value, ExportError> {
    let codec = tower.weights.config().codec.clone();
    tower.graph.scope("audio_encoder.quantizer");
    let mut table = Vec::with_capacity(codec.codebooks * codec.codebook_size * codec.hidden);
    for i in 0..codec.codebooks {
        let name = format!("audio_encoder.quantizer.layers.{i}.codebook.embed");
        table.extend(tower.values(&name)?);
    }
    let shape = [codec.codebooks * codec.codebook_size, codec.hidden];
    let table = tower
        .graph
        .tensor("audio_encoder.quantizer.codebooks", &shape, &table)?;
    let starts: Vec<i64> = (0..codec.codebooks)
        .map(|k| (k * codec.codebook_size) as i64)
        .collect();
    let starts = tower.graph.int64(&[1, codec.codebooks, 1], &starts)?;
    let rows = tower.graph.add(codes, &starts);
    let rows = tower.graph.gather(&table, &rows, 0);
    Ok(tower.graph.sum(&rows, 1, false)?)
}

/// The first convolution, `[pieces, frames, hidden]` to `[pieces, channels, frames]`. Only here can the input be shorter
/// than the padding: then zeros are added on the right, mirrored with the rest, and as many elements cut off again.
fn first(tower: &mut MusicgenTower, x: &Value) -> Result<Value, ExportError> {
    let kernel = tower.weights.config().codec.kernel_size;
    let name = format!("{LAYERS}.0.conv");
    tower.graph.scope(name.clone());
    let (left, right) = padding(kernel, 1);
    let most = left.max(right) as i64;
    let frames = tower.graph.shape_of(x, 1, 2);
    let frames = tower.graph.reshape(&frames, &[])?;
    let int = |tower: &mut MusicgenTower, n: i64| tower.graph.int64(&[], &[n]);
    let start = int(tower, -(left as i64))?;
    let beyond = int(tower, right as i64)?;
    let end = tower.graph.add(&frames, &beyond);
    let one = int(tower, 1)?;
    let positions = tower.graph.range(&start, &end, &one);
    let shortest = int(tower, most + 1)?;
    let extended = tower.graph.max(&frames, &shortest);
    let last = tower.graph.sub(&extended, &one);
    let positions = tower.graph.abs(&positions);
    let distance = tower.graph.sub(&last, &positions);
    let distance = tower.graph.abs(&distance);
    let positions = tower.graph.sub(&last, &distance);
    let x = tower.graph.pad_end(x, 3, 1, most)?;
    let x = tower.graph.gather(&x, &positions, 1);
    let x = tower.graph.transpose(&x, &[0, 2, 1]);
    let weight = tower.weight(&format!("{name}.weight"))?;
    let bias = tower.weight(&format!("{name}.bias"))?;
    Ok(tower.graph.convolution(&x, &weight, &bias, 1))
}

/// A convolution that keeps the length.
fn same(
    tower: &mut MusicgenTower,
    x: &Value,
    name: &str,
    kernel: usize,
    dilation: usize,
) -> Result<Value, ExportError> {
    let weight = tower.weight(&format!("{name}.weight"))?;
    let bias = tower.weight(&format!("{name}.bias"))?;
    let (left, right) = padding(kernel, dilation);
    let padded = match (left, right) {
        (0, 0) => x.clone(),
        (left, right) => tower.graph.reflect(x, left, right)?,
    };
    Ok(tower.graph.convolution(&padded, &weight, &bias, dilation))
}

/// Elements to add on the left and on the right.
fn padding(kernel: usize, dilation: usize) -> (usize, usize) {
    let total = (kernel - 1) * dilation;
    (total - total / 2, total / 2)
}

/// The LSTM with its input added around all layers: `[pieces, channels, frames]` to the same.
fn lstm(tower: &mut MusicgenTower, x: &Value) -> Result<Value, ExportError> {
    let codec = tower.weights.config().codec.clone();
    let hidden = codec.widest();
    let input = tower.graph.transpose(x, &[2, 0, 1]);
    let mut y = input.clone();
    for layer in 0..codec.lstm_layers {
        let name = format!("{LAYERS}.1.lstm");
        tower.graph.scope(format!("{name}.{layer}"));
        let mut parts = Vec::with_capacity(2);
        let mut bias = Vec::with_capacity(8 * hidden);
        for part in ["ih", "hh"] {
            let weight = tower.values(&format!("{name}.weight_{part}_l{layer}"))?;
            let weight = gates(&weight);
            let shape = [1, 4 * hidden, hidden];
            let label = format!("{name}.weight_{part}_l{layer}");
            parts.push(tower.graph.tensor(&label, &shape, &weight)?);
            bias.extend(gates(
                &tower.values(&format!("{name}.bias_{part}_l{layer}"))?,
            ));
        }
        let label = format!("{name}.bias_l{layer}");
        let bias = tower.graph.tensor(&label, &[1, 8 * hidden], &bias)?;
        y = tower.graph.lstm(&y, &parts[0], &parts[1], &bias, hidden);
        let shape = tower.graph.shape_of(&input, 0, 3);
        y = tower.graph.reshape_to(&y, &shape);
    }
    let y = tower.graph.add(&y, &input);
    Ok(tower.graph.transpose(&y, &[1, 2, 0]))
}

/// torch's gates i, f, g, o in the order i, o, f, c of ONNX.
fn gates(values: &[f32]) -> Vec<f32> {
    let quarter = values.len() / 4;
    [0, 3, 1, 2]
        .iter()
        .flat_map(|&gate| &values[gate * quarter..(gate + 1) * quarter])
        .copied()
        .collect()
}

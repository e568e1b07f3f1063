//! From codes to the states of the frames: codebooks, the first convolution, the LSTM.

use checkpoint::musicgen::{CodecConfig, MusicgenWeights};
use onnx_graph::{Axis, Element, GraphBuilder, Value};

use super::super::super::ExportError;
use super::super::{MusicgenTower, Plan};
use super::convolution::taps_first;
use super::{LAYERS, padding};

/// Build the graph: `codes` `[pieces, codebooks, frames]` i64, pieces equally long, to `states` `[pieces, frames, channels]`.
pub(in super::super) fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    how: &Plan,
) -> Result<(), ExportError> {
    let codec = weights.config().codec.clone();
    let axes = [
        Axis::Named("pieces"),
        Axis::Fixed(codec.codebooks),
        Axis::Named("frames"),
    ];
    let codes = graph.input("codes", Element::Int64, &axes);
    let mut tower = MusicgenTower {
        graph,
        weights,
        precision: how.precision,
    };
    let x = quantised(&mut tower, &codec, &codes)?;
    let x = first_convolution(&mut tower, &codec, &x)?;
    let mut y = x.clone();
    for layer in 0..codec.lstm_layers {
        y = lstm_layer(&mut tower, &codec, &y, layer)?;
    }
    let states = tower.graph.add(&x, &y);
    let states = tower.graph.transpose(&states, &[1, 0, 2]);
    let axes = [axes[0], axes[2], Axis::Fixed(codec.widest())];
    tower.graph.output("states", &states, Element::Float, &axes);
    Ok(())
}

/// The sum of the codebooks' rows: `[frames, pieces, hidden]`.
fn quantised(
    tower: &mut MusicgenTower,
    codec: &CodecConfig,
    codes: &Value,
) -> Result<Value, ExportError> {
    tower.graph.scope("audio_encoder.quantizer");
    let codes = tower.graph.transpose(codes, &[1, 2, 0]);
    let mut sum = None;
    for codebook in 0..codec.codebooks {
        let name = format!("audio_encoder.quantizer.layers.{codebook}.codebook.embed");
        let table = tower.weight(&name)?;
        let which = tower.graph.whole(codebook as i64)?;
        let rows = tower.graph.gather(&codes, &which, 0);
        let rows = tower.graph.gather(&table, &rows, 0);
        sum = Some(match sum {
            Some(sum) => tower.graph.add(&sum, &rows),
            None => rows,
        });
    }
    sum.ok_or_else(|| ExportError::Write(std::io::Error::other("there is no codebook")))
}

/// `[frames, pieces, hidden]` to `[frames, pieces, channels]`, mirrored at the ends.
///
/// Only here can a signal be shorter than the padding. Then zeros follow it until it is longer by one, the whole is
/// mirrored, and as many elements as zeros are cut off again.
fn first_convolution(
    tower: &mut MusicgenTower,
    codec: &CodecConfig,
    x: &Value,
) -> Result<Value, ExportError> {
    let name = format!("{LAYERS}.0.conv");
    tower.graph.scope(name.clone());
    let (weight, [channels, kernel]) = taps_first(tower, &name)?;
    let bias = tower.weight(&format!("{name}.bias"))?;
    let graph = &mut *tower.graph;
    let width = kernel * codec.hidden;
    let weight = graph.tensor(&format!("{name}.weight"), &[channels, width], &weight)?;

    let (left, right) = padding(kernel, 1);
    let longest = left.max(right) as i64;
    let size = graph.shape_of(x, 0, 2);
    let frames = graph.length(x, 0)?;
    let pieces = graph.length(x, 1)?;
    let zero = graph.whole(0)?;
    let positions = graph.count(&zero, &frames)?;
    let positions = graph.reshape(&positions, &[-1, 1, 1])?;
    let offsets: Vec<i64> = (0..kernel).map(|tap| tap as i64 - left as i64).collect();
    let offsets = graph.int64(&[1, 1, kernel], &offsets)?;
    let positions = graph.add(&positions, &offsets);
    let positions = graph.abs(&positions);
    let shortest = graph.whole(longest + 1)?;
    let last = graph.max(&frames, &shortest);
    let last = graph.plus(&last, -1)?;
    let from_last = graph.sub(&last, &positions);
    let from_last = graph.abs(&from_last);
    let positions = graph.sub(&last, &from_last);
    // As rows of [frames * pieces, hidden].
    let first_rows = graph.mul(&positions, &pieces);
    let piece = graph.count(&zero, &pieces)?;
    let piece = graph.reshape(&piece, &[1, -1, 1])?;
    let rows = graph.add(&first_rows, &piece);

    let x = graph.pad_end(x, 3, 0, longest)?;
    let x = graph.reshape(&x, &[-1, codec.hidden as i64])?;
    let x = graph.gather(&x, &rows, 0);
    let x = graph.reshape(&x, &[-1, width as i64])?;
    let x = graph.linear(&x, &weight, Some(&bias));
    let channels = graph.int64(&[1], &[channels as i64])?;
    let shape = graph.concat(&[&size, &channels], 0);
    Ok(graph.reshape_to(&x, &shape))
}

/// `[frames, pieces, channels]` through a layer of the LSTM, from a zero state.
fn lstm_layer(
    tower: &mut MusicgenTower,
    codec: &CodecConfig,
    x: &Value,
    layer: usize,
) -> Result<Value, ExportError> {
    let name = format!("{LAYERS}.1.lstm");
    tower.graph.scope(format!("{name}.{layer}"));
    let hidden = codec.widest();
    let mut weights = Vec::with_capacity(2);
    let mut biases = Vec::with_capacity(8 * hidden);
    for part in ["ih", "hh"] {
        let weight = format!("{name}.weight_{part}_l{layer}");
        let values = reordered(&tower.values(&weight)?);
        let shape = [1, 4 * hidden, hidden];
        weights.push(tower.graph.tensor(&weight, &shape, &values)?);
        biases.extend(reordered(
            &tower.values(&format!("{name}.bias_{part}_l{layer}"))?,
        ));
    }
    let bias = format!("{name}.bias_l{layer}");
    let bias = tower.graph.tensor(&bias, &[1, 8 * hidden], &biases)?;
    let size = tower.graph.shape_of(x, 0, 3);
    let y = tower
        .graph
        .lstm(x, [&weights[0], &weights[1], &bias], hidden);
    Ok(tower.graph.reshape_to(&y, &size))
}

/// The gates i, f, g, o of torch in the order of ONNX, which calls them i, o, f, c.
fn reordered(gates: &[f32]) -> Vec<f32> {
    let gate = gates.len() / 4;
    [0, 3, 1, 2]
        .iter()
        .flat_map(|&g| &gates[g * gate..(g + 1) * gate])
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_change_places() {
        let [i, f, g, o] = [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5]];
        assert_eq!(reordered(&[i, f, g, o].concat()), [i, o, f, g].concat());
    }
}

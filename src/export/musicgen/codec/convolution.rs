//! Convolutions of stride 1 that keep the length, mirrored at the ends of the signal.

use super::super::super::ExportError;
use super::super::MusicgenTower;
use super::padding;
use super::signal::Signal;
use crate::onnx::Value;

/// `input` plus its residual block `name`: ELU, a dilated convolution, ELU, a convolution of one tap.
pub(super) fn residual(
    tower: &mut MusicgenTower,
    input: Signal,
    name: &str,
    dilation: usize,
) -> Result<Signal, ExportError> {
    let (weight, [inner, kernel]) = taps_first(tower, &format!("{name}.1.conv"))?;
    let bias = tower.weight(&format!("{name}.1.conv.bias"))?;
    let outer = tower.values(&format!("{name}.3.conv.weight"))?;
    let outer_bias = tower.weight(&format!("{name}.3.conv.bias"))?;
    let graph = &mut *tower.graph;
    let width = kernel * input.channels;
    let weight = graph.tensor(&format!("{name}.1.conv.weight"), &[inner, width], &weight)?;
    let outer = graph.tensor(
        &format!("{name}.3.conv.weight"),
        &[input.channels, inner],
        &outer,
    )?;

    let x = graph.elu(&input.x);
    let zero = graph.whole(0)?;
    let positions = graph.count(&zero, &input.rows)?;
    let positions = graph.reshape(&positions, &[-1, 1])?;
    let (left, _) = padding(kernel, dilation);
    let offsets: Vec<i64> = (0..kernel)
        .map(|tap| (tap * dilation) as i64 - left as i64)
        .collect();
    let offsets = graph.int64(&[1, kernel], &offsets)?;
    let positions = graph.add(&positions, &offsets);
    let rows = input.mirrored(graph, &positions)?;
    let x = graph.gather(&x, &rows, 0);
    let x = graph.reshape(&x, &[-1, width as i64])?;
    let x = graph.linear(&x, &weight, Some(&bias));
    let x = graph.elu(&x);
    let x = graph.linear(&x, &outer, Some(&outer_bias));
    let sum = graph.add(&input.x, &x);
    Ok(Signal { x: sum, ..input })
}

/// The ELU of `input` through the convolution `name` to one channel: `[rows]`, one for each row of the input.
///
/// Each row is multiplied with all taps at once; what belongs to one sample then stands on a diagonal.
pub(super) fn to_samples(
    tower: &mut MusicgenTower,
    input: &Signal,
    name: &str,
) -> Result<Value, ExportError> {
    let (weight, [_, kernel]) = taps_first(tower, name)?;
    let bias = tower.weight(&format!("{name}.bias"))?;
    let graph = &mut *tower.graph;
    let weight = graph.tensor(
        &format!("{name}.weight"),
        &[kernel, input.channels],
        &weight,
    )?;
    let x = graph.elu(&input.x);
    let products = graph.linear(&x, &weight, None);

    let (left, right) = padding(kernel, 1);
    let first = graph.whole(-(left as i64))?;
    let end = graph.plus(&input.rows, right as i64)?;
    let positions = graph.count(&first, &end)?;
    let rows = input.mirrored(graph, &positions)?;
    let products = graph.gather(&products, &rows, 0);
    let by_tap = graph.transpose(&products, &[1, 0]);
    // Rows of one element more than they have, so that each begins one later: diagonals become columns.
    let flat = graph.reshape(&by_tap, &[-1])?;
    let flat = graph.pad_end(&flat, 1, 0, kernel as i64)?;
    let columns = graph.reshape(&flat, &[kernel as i64, -1])?;
    let samples = graph.sum(&columns, 0, false)?;
    Ok(graph.add(&samples, &bias))
}

/// The weight `name` `[out, in, kernel]` as `[out, kernel, in]`, with its outputs and taps.
pub(super) fn taps_first(
    tower: &MusicgenTower,
    name: &str,
) -> Result<(Vec<f32>, [usize; 2]), ExportError> {
    let weight = tower.weights.get(&format!("{name}.weight"))?;
    let (outputs, inputs, kernel) = (weight.shape[0], weight.shape[1], weight.shape[2]);
    let mut data = Vec::with_capacity(weight.data.len());
    for of_output in weight.data.chunks_exact(inputs * kernel) {
        for tap in 0..kernel {
            data.extend((0..inputs).map(|input| of_output[input * kernel + tap]));
        }
    }
    Ok((data, [outputs, kernel]))
}

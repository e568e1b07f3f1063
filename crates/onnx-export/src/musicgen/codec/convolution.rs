//! Convolutions of stride 1 that keep the length, mirrored at the ends of the signal.

use onnx_graph::Value;

use super::super::super::ExportError;
use super::super::MusicgenTower;
use super::padding;
use super::signal::Signal;
use super::winograd::Taps;

/// `input` plus its residual block `name`: ELU, a dilated convolution, ELU, a convolution of one tap.
pub(super) fn residual(
    tower: &mut MusicgenTower,
    input: Signal,
    name: &str,
    dilation: usize,
) -> Result<Signal, ExportError> {
    let outer = tower.values(&format!("{name}.3.conv.weight"))?;
    let outer_bias = tower.weight(&format!("{name}.3.conv.bias"))?;
    let x = tower.graph.elu(&input.x);
    let x = dilated(tower, &input, &x, &format!("{name}.1.conv"), dilation)?;
    let graph = &mut *tower.graph;
    let shape = [input.channels, outer.len() / input.channels];
    let outer = graph.tensor(&format!("{name}.3.conv.weight"), &shape, &outer)?;
    let x = graph.elu(&x);
    let x = graph.linear(&x, &outer, Some(&outer_bias));
    let sum = graph.add(&input.x, &x);
    Ok(Signal { x: sum, ..input })
}

/// `x`, rows where `input` has its own, through the convolution `name`: as many rows.
fn dilated(
    tower: &mut MusicgenTower,
    input: &Signal,
    x: &Value,
    name: &str,
    dilation: usize,
) -> Result<Value, ExportError> {
    let (weight, [outputs, kernel]) = taps_first(tower, name)?;
    let bias = tower.values(&format!("{name}.bias"))?;
    let graph = &mut *tower.graph;
    if (kernel, dilation) == (3, 1) {
        let tap = |tap: usize| -> Vec<f32> {
            let rows = weight.chunks_exact(input.channels).skip(tap).step_by(3);
            rows.flatten().copied().collect()
        };
        let taps = Taps::Three([tap(0), tap(1), tap(2)]);
        let groups = input.rows / taps.outputs();
        let rows = input.mirrored(graph, &taps.positions(groups))?;
        let y = taps.apply(graph, name, x, &rows, &bias)?;
        return Ok(graph.reshape(&y, &[-1, outputs as i64])?);
    }
    let width = kernel * input.channels;
    let weight = graph.tensor(&format!("{name}.weight"), &[outputs, width], &weight)?;
    let bias = graph.tensor(&format!("{name}.bias"), &[outputs], &bias)?;
    let (left, _) = padding(kernel, dilation);
    let positions: Vec<i32> = (0..input.rows)
        .flat_map(|row| (0..kernel).map(move |tap| (row + tap * dilation) as i32 - left as i32))
        .collect();
    let rows = input.mirrored(graph, &positions)?;
    let x = graph.gather(x, &rows, 0);
    let x = graph.reshape(&x, &[-1, width as i64])?;
    Ok(graph.linear(&x, &weight, Some(&bias)))
}

/// The ELU of `input` through the convolution `name` to one channel: `[tiles, rows]`, and some more behind them.
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
    let positions: Vec<i32> = (0..input.rows + left + right)
        .map(|row| row as i32 - left as i32)
        .collect();
    let rows = input.mirrored(graph, &positions)?;
    let products = graph.gather(&products, &rows, 0);
    let by_tap = graph.transpose(&products, &[0, 2, 1]);
    // Rows of one element more than they have, so that each begins one later: diagonals become columns.
    let flat = graph.reshape(&by_tap, &[0, -1])?;
    let flat = graph.pad_end(&flat, 2, 1, kernel as i64)?;
    let columns = graph.reshape(&flat, &[0, kernel as i64, -1])?;
    let samples = graph.sum(&columns, 1, false)?;
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

//! A transposed convolution whose kernel is twice its stride.
//!
//! Each frame of the input and the one before make `stride` rows of the output: a filter of two taps, each a matrix
//! `[stride * out, in]`, and a reshape that copies nothing.

use super::super::super::ExportError;
use super::super::MusicgenTower;
use super::signal::{Signal, plus, times};
use super::winograd::Taps;

/// The ELU of `input` through the transposed convolution `name` with this stride. The output has rows for every frame, some
/// beyond the signal, and an even number: trimming is left to what reads it.
pub(super) fn upsample(
    tower: &mut MusicgenTower,
    input: &Signal,
    name: &str,
    stride: usize,
) -> Result<Signal, ExportError> {
    let taps = Taps::Two([tap(tower, name, stride, 1)?, tap(tower, name, stride, 0)?]);
    let bias = tower.values(&format!("{name}.bias"))?;
    let channels = bias.len();
    let graph = &mut *tower.graph;
    let x = graph.elu(&input.x);
    let silence = vec![0.0; input.channels];
    let silence = graph.tensor(&format!("{name}.silence"), &[1, input.channels], &silence)?;
    let x = graph.concat(&[&silence, &x], 0);

    // One frame more than there are, as the last one sounds on; pairs of groups, for the residual block's pairs of rows.
    let outputs = taps.outputs();
    let pair = 2 * outputs;
    let groups = (input.rows + pair) / pair * 2;
    let rows = input.or_first(graph, &taps.positions(groups))?;
    let y = taps.apply(graph, name, &x, &rows, &bias.repeat(stride))?;
    let rows = groups * outputs * stride;
    let stride = stride as i32;
    // As many elements too many as the stride; the left gets the odd one.
    let before = stride / 2 - stride;
    let start = times(graph, &input.start, stride)?;
    Ok(Signal {
        x: graph.reshape(&y, &[-1, channels as i64])?,
        channels,
        rows,
        offset: input.offset * stride + before,
        start: plus(graph, &start, before)?,
        total: times(graph, &input.total, stride)?,
        tile: input.tile.clone(),
    })
}

/// One half of a weight `[in, out, 2 * stride]`, as `[stride * out, in]`: 0 meets a frame at once, 1 one frame later.
fn tap(
    tower: &MusicgenTower,
    name: &str,
    stride: usize,
    half: usize,
) -> Result<Vec<f32>, ExportError> {
    let weight = tower.weights.get(&format!("{name}.weight"))?;
    let (inputs, outputs) = (weight.shape[0], weight.shape[1]);
    let mut tap = Vec::with_capacity(stride * outputs * inputs);
    for phase in half * stride..(half + 1) * stride {
        for out in 0..outputs {
            let at = |input| (input * outputs + out) * 2 * stride + phase;
            tap.extend((0..inputs).map(|input| weight.data[at(input)]));
        }
    }
    Ok(tap)
}

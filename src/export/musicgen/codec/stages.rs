//! The upsampling stages, in two graphs that run tile by tile.

use std::ops::Range;

use super::super::super::ExportError;
use super::super::{MusicgenTower, Plan};
use super::convolution::{residual, to_samples};
use super::signal::Signal;
use super::upsample::upsample;
use super::{LAYERS, padding};
use crate::checkpoint::musicgen::{CodecConfig, MusicgenWeights};
use crate::onnx::{Axis, Element, GraphBuilder};

/// What one of the two graphs computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stages {
    /// By their place among the ratios.
    stages: Range<usize>,
    to_samples: bool,
    /// Channels of a row of the input.
    pub channels: usize,
    /// Channels of a row of the output, or 1 for samples.
    pub channels_out: usize,
    /// Rows of the output for a row of the input.
    pub ratio: usize,
    /// Rows of the input that a tile needs on either side of it, as far as the signal has them.
    pub halo: usize,
}

impl Stages {
    /// The first half: large weights, few rows.
    pub fn coarse(codec: &CodecConfig) -> Self {
        Self::of(codec, 0..codec.ratios.len().div_ceil(2), false)
    }

    /// The second half, down to samples: small weights, many rows.
    pub fn fine(codec: &CodecConfig) -> Self {
        let all = codec.ratios.len();
        Self::of(codec, all.div_ceil(2)..all, true)
    }

    fn of(codec: &CodecConfig, stages: Range<usize>, to_samples: bool) -> Self {
        let widest = |(left, right): (usize, usize)| left.max(right);
        let mut halo = match to_samples {
            true => widest(padding(codec.last_kernel_size, 1)),
            false => 0,
        };
        for &ratio in codec.ratios[stages.clone()].iter().rev() {
            for dilation in dilations(codec) {
                halo += widest(padding(codec.residual_kernel_size, dilation));
            }
            // Row p of the output comes from the frames (p + left) / ratio, rounded down, and the one before.
            let left = ratio - ratio / 2;
            let before = 1 + halo.saturating_sub(left).div_ceil(ratio);
            let after = 1 + (halo + left - 1) / ratio;
            halo = before.max(after);
        }
        let channels_after = |stage: usize| codec.widest() >> stage;
        Self {
            channels: channels_after(stages.start),
            channels_out: match to_samples {
                true => 1,
                false => channels_after(stages.end),
            },
            ratio: codec.ratios[stages.clone()].iter().product(),
            halo,
            stages,
            to_samples,
        }
    }
}

/// Dilations of the residual blocks of a stage.
fn dilations(codec: &CodecConfig) -> impl Iterator<Item = usize> {
    let growth = codec.dilation_growth_rate;
    (0..codec.residual_layers).map(move |layer| growth.pow(layer as u32))
}

/// The first half of the stages as a graph: see [`build`].
pub(in super::super) fn build_coarse(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    how: &Plan,
) -> Result<(), ExportError> {
    build(graph, weights, how, Stages::coarse(&weights.config().codec))
}

/// The second half as a graph: see [`build`].
pub(in super::super) fn build_fine(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    how: &Plan,
) -> Result<(), ExportError> {
    build(graph, weights, how, Stages::fine(&weights.config().codec))
}

/// Build the graph: `rows` `[rows, channels]`, the rows of a signal of `total` rows from position `start` on, to `output`
/// `[rows, channels]` or `[samples]`: what comes of the rows at `from..to`. The input has to have these rows and
/// [`Stages::halo`] more on either side, as far as the signal has them. `start`, `total`, `from` and `to` are i64 scalars.
fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    how: &Plan,
    plan: Stages,
) -> Result<(), ExportError> {
    let codec = weights.config().codec.clone();
    let axes = [Axis::Named("rows"), Axis::Fixed(plan.channels)];
    let x = graph.input("rows", Element::Float, &axes);
    let [start, total, from, to] =
        ["start", "total", "from", "to"].map(|name| graph.input(name, Element::Int64, &[]));
    let mut tower = MusicgenTower {
        graph,
        weights,
        precision: how.precision,
    };
    let mut signal = Signal {
        rows: tower.graph.length(&x, 0)?,
        x,
        channels: plan.channels,
        start,
        total,
    };
    // Layers 0 and 1 are the convolution and the LSTM; a stage has an ELU, a transposed convolution and its blocks.
    let first_layer = |stage: usize| 2 + stage * (2 + codec.residual_layers);
    for stage in plan.stages.clone() {
        let layer = first_layer(stage);
        let name = format!("{LAYERS}.{}.conv", layer + 1);
        tower.graph.scope(name.clone());
        signal = upsample(&mut tower, &signal, &name, codec.ratios[stage])?;
        for (block, dilation) in dilations(&codec).enumerate() {
            let name = format!("{LAYERS}.{}.block", layer + 2 + block);
            tower.graph.scope(name.clone());
            signal = residual(&mut tower, signal, &name, dilation)?;
        }
    }
    let mut axes = vec![Axis::Named("rows_out"), Axis::Fixed(plan.channels_out)];
    if plan.to_samples {
        let name = format!("{LAYERS}.{}.conv", first_layer(plan.stages.end) + 1);
        tower.graph.scope(name.clone());
        signal.x = to_samples(&mut tower, &signal, &name)?;
        axes.truncate(1);
    }
    tower.graph.scope("tile");
    let ratio = plan.ratio as i64;
    let mut bounds = Vec::with_capacity(2);
    for bound in [&from, &to] {
        let position = tower.graph.times(bound, ratio)?;
        bounds.push(tower.graph.sub(&position, &signal.start));
    }
    let output = tower.graph.rows(&signal.x, &bounds[0], &bounds[1])?;
    tower.graph.output("output", &output, Element::Float, &axes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(ratios: &[usize]) -> CodecConfig {
        CodecConfig {
            sampling_rate: 32_000,
            codebooks: 4,
            codebook_size: 2048,
            hidden: 128,
            filters: 64,
            ratios: ratios.to_vec(),
            kernel_size: 7,
            last_kernel_size: 7,
            residual_kernel_size: 3,
            residual_layers: 1,
            dilation_growth_rate: 2,
            lstm_layers: 2,
            compress: 2,
        }
    }

    #[test]
    fn the_halves_meet_and_reach_the_samples() {
        for ratios in [&[8, 5, 4, 4][..], &[8, 5, 4], &[4]] {
            let codec = codec(ratios);
            let (coarse, fine) = (Stages::coarse(&codec), Stages::fine(&codec));
            assert_eq!(coarse.channels, codec.widest());
            assert_eq!(coarse.channels_out, fine.channels);
            assert_eq!(fine.channels_out, 1);
            assert_eq!(coarse.ratio * fine.ratio, codec.hop());
        }
    }

    /// By hand: the last convolution reads 3 samples beyond a tile and the block before it 1, which are 4 of 32 kHz, so 2
    /// of 8 kHz (3 are 1.5 to 2 rows away); with the block there 3, so 2 of 2 kHz.
    #[test]
    fn a_tile_reads_two_rows_beyond_it() {
        assert_eq!(Stages::fine(&codec(&[8, 5, 4, 4])).halo, 2);
        assert_eq!(Stages::coarse(&codec(&[8, 5, 4, 4])).halo, 1);
    }
}

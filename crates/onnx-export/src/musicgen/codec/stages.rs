//! The upsampling stages, in two graphs that run tile by tile.

use std::ops::Range;

use checkpoint::musicgen::{CodecConfig, MusicgenWeights};
use onnx_graph::{Axis, Element, GraphBuilder};

use super::super::super::ExportError;
use super::super::{MusicgenTower, Plan};
use super::convolution::{residual, to_samples};
use super::signal::Signal;
use super::upsample::upsample;
use super::{LAYERS, padding};

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
    /// Rows of the input of which a tile makes its output.
    pub rows: usize,
    /// Rows of the input that a tile has beside these on either side.
    pub halo: usize,
}

/// Frames of a tile of the coarse stages, whose weights are read once a tile: 5 s.
const COARSE_FRAMES: usize = 250;
/// Samples of a tile of the fine stages: its tensors fill a core's cache.
const FINE_SAMPLES: usize = 6_400;

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
        let ratio: usize = codec.ratios[stages.clone()].iter().product();
        Self {
            rows: match to_samples {
                true => (FINE_SAMPLES / ratio).max(1),
                false => COARSE_FRAMES,
            },
            channels: channels_after(stages.start),
            channels_out: match to_samples {
                true => 1,
                false => channels_after(stages.end),
            },
            ratio,
            halo,
            stages,
            to_samples,
        }
    }
}

impl Stages {
    /// Rows of a tile of the input.
    pub fn rows_in(&self) -> usize {
        self.rows + 2 * self.halo
    }

    /// Values of a tile of the output.
    pub fn values_out(&self) -> usize {
        self.rows * self.ratio * self.channels_out
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

/// Build the graph: `rows` `[tiles, rows_in, channels]` to `output` `[tiles, rows * ratio, channels]` or `[tiles, samples]`: what
/// comes of each tile's rows but for [`Stages::halo`] on either side. `start` and `total` `[tiles, 1]` i32 are the position of
/// each tile's first row, negative where that lies before its signal, and the rows of the whole signal; what a tile has
/// beyond the ends of the signal has no meaning. `tile` `[tiles, 1]` i32 counts them from 0.
fn build(
    graph: &mut GraphBuilder,
    weights: &MusicgenWeights,
    how: &Plan,
    plan: Stages,
) -> Result<(), ExportError> {
    let codec = weights.config().codec.clone();
    let tiles = Axis::Named("tiles");
    let axes = [
        tiles,
        Axis::Fixed(plan.rows_in()),
        Axis::Fixed(plan.channels),
    ];
    let x = graph.input("rows", Element::Float, &axes);
    let [start, total, tile] = ["start", "total", "tile"]
        .map(|name| graph.input(name, Element::Int32, &[tiles, Axis::Fixed(1)]));
    let mut tower = MusicgenTower {
        graph,
        weights,
        precision: how.precision,
    };
    let mut signal = Signal {
        x: tower.graph.reshape(&x, &[-1, plan.channels as i64])?,
        channels: plan.channels,
        rows: plan.rows_in(),
        offset: 0,
        start,
        total,
        tile,
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
    let rows_out = plan.rows * plan.ratio;
    let mut axes = vec![tiles, Axis::Fixed(rows_out), Axis::Fixed(plan.channels_out)];
    let by_tile = if plan.to_samples {
        let name = format!("{LAYERS}.{}.conv", first_layer(plan.stages.end) + 1);
        tower.graph.scope(name.clone());
        axes.truncate(2);
        to_samples(&mut tower, &signal, &name)?
    } else {
        let shape = [-1, signal.rows as i64, plan.channels_out as i64];
        tower.graph.reshape(&signal.x, &shape)?
    };
    tower.graph.scope("tile");
    let first = (plan.halo * plan.ratio) as i64 - i64::from(signal.offset);
    let output = tower
        .graph
        .slice(&by_tile, 1, first, first + rows_out as i64)?;
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

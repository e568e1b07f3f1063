//! The first channel of a fused model's input: the whole spectrogram, shrunk along time to the length of 10 s.
//!
//! laion_clap does this with `torchvision.transforms.Resize`, bilinear with half-pixel centres. Up to torchvision 0.16
//! that read two neighbouring frames, however far apart the outputs lie; since 0.17 it antialiases, that is, widens
//! the triangle by the scale. The public checkpoints were trained with the first, which `transformers` still computes.
//! On a 30 s clip they differ by 1.6 dB on average.
//!
//! Positions and weights are computed in f32, as torch does: far along a clip they differ from exact ones by 1e-4.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};
use serde::{Deserialize, Serialize};

/// How the whole clip is shrunk: the key `fusion_shrink` of a card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FusionShrink {
    /// Two frames for each output, as the public checkpoints were trained, and as `transformers`.
    #[default]
    Plain,
    /// A triangle over all frames, as laion_clap with torchvision 0.17 and later.
    Antialias,
}

/// Shrink `mel` `[frames, mel bins]` to `[to, mel bins]`; `to` is at most `frames`, which is not 0.
pub(super) fn shrink(mel: ArrayView2<f32>, to: usize, how: FusionShrink) -> Array2<f32> {
    let frames = mel.nrows();
    let scale = frames as f32 / to as f32;
    let mut out = Array2::zeros((to, mel.ncols()));
    let mut weights = Vec::new();
    for (i, mut row) in out.rows_mut().into_iter().enumerate() {
        weights.clear();
        let first = match how {
            FusionShrink::Plain => nearest_two(i, scale, frames, &mut weights),
            FusionShrink::Antialias => triangle(i, scale, frames, &mut weights),
        };
        let mut sum = Array1::<f32>::zeros(mel.ncols());
        for (weight, frame) in weights.iter().zip(mel.axis_iter(Axis(0)).skip(first)) {
            Zip::from(&mut sum)
                .and(&frame)
                .for_each(|s, &x| *s += weight * x);
        }
        row.assign(&sum);
    }
    out
}

/// The frames on both sides of output `i`; returns the first and appends their weights.
fn nearest_two(i: usize, scale: f32, frames: usize, weights: &mut Vec<f32>) -> usize {
    let centre = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
    let first = (centre as usize).min(frames - 1);
    let second = (centre - first as f32).clamp(0.0, 1.0);
    weights.extend([1.0 - second, second]);
    first
}

/// The frames under a triangle that reaches `scale` frames to both sides of output `i`, weights adding up to 1.
fn triangle(i: usize, scale: f32, frames: usize, weights: &mut Vec<f32>) -> usize {
    let centre = scale * (i as f32 + 0.5);
    let first = (centre - scale + 0.5).max(0.0) as usize;
    let end = ((centre + scale + 0.5) as usize).min(frames);
    weights.extend((first..end).map(|j| {
        let distance = ((j as f32 - centre + 0.5) / scale).abs();
        (1.0 - distance).max(0.0)
    }));
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frame i holds i in every bin.
    fn ramp(frames: usize) -> Array2<f32> {
        Array2::from_shape_fn((frames, 2), |(i, _)| i as f32)
    }

    #[test]
    fn a_ramp_stays_a_ramp() {
        for (how, inner) in [
            (FusionShrink::Plain, 0..1001),
            (FusionShrink::Antialias, 1..1000),
        ] {
            let out = shrink(ramp(3001).view(), 1001, how);
            for i in inner {
                let exact = 3001.0 / 1001.0 * (i as f32 + 0.5) - 0.5;
                assert!(
                    (out[[i, 1]] - exact).abs() < 2e-3,
                    "{how:?} {i}: {} {exact}",
                    out[[i, 1]]
                );
            }
        }
    }

    #[test]
    fn only_antialiasing_sees_every_frame() {
        let mut mel = Array2::zeros((3001, 1));
        mel[[1501, 0]] = 1.0; // between the frames that plain shrinking reads
        let sum = |how| shrink(mel.view(), 1001, how).sum();
        assert!(sum(FusionShrink::Antialias) > 0.3);
        assert_eq!(sum(FusionShrink::Plain), 0.0);
    }
}

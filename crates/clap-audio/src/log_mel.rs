//! The log-mel spectrogram of CLAP, over a Hann window of 1024 samples every 480, centred, edges reflected.
//!
//! In f64 up to the decibels: the quietest bins lie 100 dB and more under the loudest, where the rounding of an f32
//! transform is heard, and would differ from one processor to the next. What is left against laion_clap, 4e-5 dB on
//! average, is the rounding of its own f32 transforms.

use std::sync::Arc;

use ndarray::Array2;
use realfft::{RealFftPlanner, RealToComplex};

use super::mel_scale::MelScale;
use super::spectrum::{BINS, HOP, MEL_BINS, WINDOW};

/// Power that counts as silence: -100 dB.
const FLOOR: f64 = 1e-10;

/// Frames of a signal of this many samples: one around every multiple of [`HOP`].
pub(super) fn frames(samples: usize) -> usize {
    samples / HOP + 1
}

/// A planned log-mel spectrogram.
#[derive(Clone)]
pub(super) struct LogMel {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    bands: Vec<Band>,
}

/// One mel filter without its zeros.
#[derive(Clone)]
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl LogMel {
    pub(super) fn new(scale: MelScale) -> Self {
        let filters = scale.filters();
        let bands = filters.columns().into_iter().map(|column| {
            let weighs = |&w: &f32| w > 0.0;
            let first = column.iter().position(weighs).unwrap_or(0);
            let width = column.iter().filter(|w| weighs(w)).count();
            Band {
                first,
                weights: column
                    .iter()
                    .skip(first)
                    .take(width)
                    .map(|&w| f64::from(w))
                    .collect(),
            }
        });
        Self {
            bands: bands.collect(),
            window: window(scale),
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
        }
    }

    /// Decibels, `[frames, mel bins]`, of `samples` `[samples]` at 48 kHz, more than 512 of them.
    pub(super) fn spectrogram(&self, samples: &[f32]) -> Array2<f32> {
        let mut windowed = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = [0.0; BINS];
        let mut out = Array2::zeros((frames(samples.len()), MEL_BINS));
        for (frame, mut row) in out.rows_mut().into_iter().enumerate() {
            self.cut_window(samples, frame * HOP, &mut windowed);
            self.fft
                .process_with_scratch(&mut windowed, &mut spectrum, &mut scratch)
                .expect("the buffers are the planner's own");
            for (power, bin) in power.iter_mut().zip(&spectrum) {
                *power = bin.norm_sqr();
            }
            for (decibel, band) in row.iter_mut().zip(&self.bands) {
                let inside = &power[band.first..band.first + band.weights.len()];
                let sum: f64 = inside.iter().zip(&band.weights).map(|(p, w)| p * w).sum();
                *decibel = (10.0 * sum.max(FLOOR).log10()) as f32;
            }
        }
        out
    }

    /// The window around sample `centre`, reflected at both ends (the end itself is not repeated).
    fn cut_window(&self, samples: &[f32], centre: usize, windowed: &mut [f64]) {
        let half = WINDOW / 2;
        let whole = centre
            .checked_sub(half)
            .and_then(|start| samples.get(start..start + WINDOW));
        if let Some(inside) = whole {
            for ((out, &sample), weight) in windowed.iter_mut().zip(inside).zip(&self.window) {
                *out = f64::from(sample) * weight;
            }
            return;
        }
        let last = samples.len() - 1;
        for (i, (out, weight)) in windowed.iter_mut().zip(&self.window).enumerate() {
            let at = (centre + i).abs_diff(half);
            let at = if at > last { 2 * last - at } else { at };
            *out = f64::from(samples[at]) * weight;
        }
    }
}

/// The periodic Hann window. torchlibrosa's comes from scipy in f64; `torch.hann_window` computes in f32, and its
/// errors (2e-7) leak into the quiet bins, so they are made the same here.
fn window(scale: MelScale) -> Vec<f64> {
    let step = std::f64::consts::TAU / WINDOW as f64;
    match scale {
        MelScale::Slaney => (0..WINDOW)
            .map(|i| 0.5 - 0.5 * (step * i as f64).cos())
            .collect(),
        MelScale::Htk => (0..WINDOW)
            .map(|i| f64::from((i as f32 * step as f32).cos() * -0.5 + 0.5))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::CLAP_RATE_HZ;
    use super::*;

    #[test]
    fn silence_is_minus_a_hundred_decibels() {
        for scale in [MelScale::Slaney, MelScale::Htk] {
            let mel = LogMel::new(scale).spectrogram(&[0.0; 4_800]);
            assert_eq!(mel.dim(), (11, MEL_BINS));
            assert!(mel.iter().all(|&x| x == -100.0));
        }
    }

    #[test]
    fn the_edges_are_reflected() {
        // A signal that is its own reflection around sample 960: frame 2 sees the same on both sides of an edge there.
        let whole: Vec<f32> = (0..1921)
            .map(|i: usize| (i.abs_diff(960) as f32 * 0.7).sin())
            .collect();
        let front_end = LogMel::new(MelScale::Htk);
        let inside = front_end.spectrogram(&whole);
        let from_edge = front_end.spectrogram(&whole[960..]);
        let to_edge = front_end.spectrogram(&whole[..961]);
        for mel in 0..MEL_BINS {
            assert!((inside[[2, mel]] - from_edge[[0, mel]]).abs() < 1e-4);
            assert!((inside[[2, mel]] - to_edge[[2, mel]]).abs() < 1e-4);
        }
    }

    #[test]
    fn a_tone_is_loudest_in_its_own_bin() {
        // Bin 43 of the spectrum; on the HTK scale 2015.6 Hz is mel bin 34 of 64 between 50 and 14000 Hz.
        let hz = 43.0 * f64::from(CLAP_RATE_HZ) / WINDOW as f64;
        let tone: Vec<f32> = (0..9_600)
            .map(|i| {
                (std::f64::consts::TAU * hz * f64::from(i) / f64::from(CLAP_RATE_HZ)).sin() as f32
            })
            .collect();
        let filters = MelScale::Htk.filters();
        let widest = (0..MEL_BINS)
            .max_by(|&a, &b| filters[[43, a]].total_cmp(&filters[[43, b]]))
            .unwrap();
        let mel = LogMel::new(MelScale::Htk).spectrogram(&tone);
        let loudest = (0..MEL_BINS)
            .max_by(|&a, &b| mel[[10, a]].total_cmp(&mel[[10, b]]))
            .unwrap();
        assert_eq!(loudest, widest);
        // |X|² at a bin's own frequency is (sum of the window / 2)² = 256².
        let weight = f64::from(filters[[43, widest]]);
        assert!((f64::from(mel[[10, widest]]) - 10.0 * (weight * 65_536.0).log10()) > -0.01);
    }
}

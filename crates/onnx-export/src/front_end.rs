//! Is the front end that a checkpoint was trained with the one that this program computes?
//!
//! laion's checkpoints carry the constants of their unfused front end: the windowed DFT kernels and the mel filters
//! (torchlibrosa's `STFT` and `LogmelFilterBank`). The graphs start after it, so these tensors are not exported, but
//! a checkpoint with others would be fed features that it does not know. Fused models never use them.

use std::f64::consts::TAU;

use checkpoint::clap::ClapWeights;
use clap_audio::MelScale;

use super::ExportError;

/// Largest difference, as a part of the largest value: float32 kernels differ by 1e-7, another window or scale by 1.
const TOLERANCE: f32 = 1e-4;

pub(super) fn check(weights: &ClapWeights) -> Result<(), ExportError> {
    if weights.architecture().audio.fusion {
        return Ok(());
    }
    if let Some(filters) = weights.mel_filters()? {
        let ours = MelScale::Slaney.filters();
        compare("mel filters", &filters.data, ours.iter().copied())?;
    }
    if let Some((real, imaginary)) = weights.dft_kernels()? {
        let window = real.shape.last().copied().unwrap_or_default();
        // Element k * window + n holds w(n) e^(-i 2 pi k n / window), w the periodic Hann window.
        let kernel = |part: fn(f64) -> f64| {
            (0..real.data.len()).map(move |i| {
                let (k, n) = (i / window, i % window);
                let hann = 0.5 - 0.5 * (TAU * n as f64 / window as f64).cos();
                (hann * part(TAU * ((k * n) % window) as f64 / window as f64)) as f32
            })
        };
        compare("DFT kernels", &real.data, kernel(f64::cos))?;
        compare("DFT kernels", &imaginary.data, kernel(|x| -x.sin()))?;
    }
    Ok(())
}

fn compare(
    what: &'static str,
    theirs: &[f32],
    ours: impl ExactSizeIterator<Item = f32>,
) -> Result<(), ExportError> {
    let mut difference: f32 = if ours.len() == theirs.len() {
        0.0
    } else {
        f32::INFINITY
    };
    let mut largest: f32 = 0.0;
    for (a, b) in theirs.iter().zip(ours) {
        // `max` would pass over a NaN.
        let apart = (a - b).abs();
        difference = if apart.is_nan() {
            f32::INFINITY
        } else {
            difference.max(apart)
        };
        largest = largest.max(b.abs());
    }
    if difference <= TOLERANCE * largest {
        Ok(())
    } else {
        Err(ExportError::FrontEnd { what, difference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_constants_are_refused() {
        let ours = [0.0f32, 0.5, -2.0];
        assert!(compare("mel filters", &ours, ours.into_iter()).is_ok());
        let rounded = [1e-5f32, 0.500_01, -2.0];
        assert!(compare("mel filters", &rounded, ours.into_iter()).is_ok());
        for other in [
            &[0.0f32, 0.6, -2.0][..],
            &[0.0, 0.5],
            &[f32::NAN, 0.5, -2.0],
        ] {
            let error = compare("mel filters", other, ours.into_iter()).unwrap_err();
            assert!(error.to_string().contains("mel filters"), "{error}");
        }
    }
}

//! The two mel filter banks of CLAP.
//!
//! The unfused models use torchlibrosa, whose bank is `librosa.filters.mel`: Slaney's scale, each triangle with area 1.
//! The fused ones use `torchaudio.transforms.MelSpectrogram`: the HTK scale, triangles of height 1. They differ by
//! 23 dB on average.

use ndarray::Array2;

use super::spectrum::{BINS, CLAP_RATE_HZ, MEL_BINS};

/// Lowest edge of the first triangle [Hz].
const MIN_HZ: f64 = 50.0;
/// Highest edge of the last triangle [Hz].
const MAX_HZ: f64 = 14_000.0;

/// Which of the two mel front ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MelScale {
    /// Unfused models: Slaney's scale, triangles of area 1 (torchlibrosa).
    Slaney,
    /// Fused models: the HTK scale, triangles of height 1 (torchaudio).
    Htk,
}

impl MelScale {
    /// The filter bank, `[frequency bins 513, mel bins 64]`, as the f32 that both libraries store. Slaney's is
    /// `logmel_extractor.melW` of a laion checkpoint (of a fused one too, which does not use it), within 1e-8.
    pub fn filters(self) -> Array2<f32> {
        let (low, high) = (self.mel_of(MIN_HZ), self.mel_of(MAX_HZ));
        let step = (high - low) / (MEL_BINS + 1) as f64;
        let edges: Vec<f64> = (0..MEL_BINS + 2)
            .map(|i| self.hz_of(low + step * i as f64))
            .collect();
        let nyquist = f64::from(CLAP_RATE_HZ) / 2.0;
        Array2::from_shape_fn((BINS, MEL_BINS), |(bin, mel)| {
            let hz = nyquist * bin as f64 / (BINS - 1) as f64;
            let (left, centre, right) = (edges[mel], edges[mel + 1], edges[mel + 2]);
            let height = ((hz - left) / (centre - left)).min((right - hz) / (right - centre));
            let norm = match self {
                Self::Slaney => 2.0 / (right - left),
                Self::Htk => 1.0,
            };
            (height.max(0.0) * norm) as f32
        })
    }

    fn mel_of(self, hz: f64) -> f64 {
        match self {
            Self::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
            Self::Slaney if hz < slaney::LOG_FROM_HZ => hz / slaney::HZ_PER_MEL,
            Self::Slaney => {
                slaney::LOG_FROM_MEL + (hz / slaney::LOG_FROM_HZ).ln() / slaney::log_step()
            }
        }
    }

    fn hz_of(self, mel: f64) -> f64 {
        match self {
            Self::Htk => 700.0 * (10f64.powf(mel / 2595.0) - 1.0),
            Self::Slaney if mel < slaney::LOG_FROM_MEL => mel * slaney::HZ_PER_MEL,
            Self::Slaney => {
                slaney::LOG_FROM_HZ * ((mel - slaney::LOG_FROM_MEL) * slaney::log_step()).exp()
            }
        }
    }
}

/// Slaney's Auditory Toolbox: linear up to 1 kHz, 27 mels for each factor of 6.4 above.
mod slaney {
    pub const HZ_PER_MEL: f64 = 200.0 / 3.0;
    pub const LOG_FROM_HZ: f64 = 1000.0;
    pub const LOG_FROM_MEL: f64 = LOG_FROM_HZ / HZ_PER_MEL;

    pub fn log_step() -> f64 {
        6.4f64.ln() / 27.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_go_there_and_back() {
        for scale in [MelScale::Slaney, MelScale::Htk] {
            for hz in [50.0, 999.0, 1000.0, 1001.0, 14_000.0] {
                assert!(
                    (scale.hz_of(scale.mel_of(hz)) - hz).abs() < 1e-9,
                    "{scale:?} {hz}"
                );
            }
        }
        // 1 kHz is 15 mel on Slaney's scale, 1000 mel on the HTK one.
        assert!((MelScale::Slaney.mel_of(1000.0) - 15.0).abs() < 1e-12);
        assert!((MelScale::Htk.mel_of(1000.0) - 1000.0).abs() < 0.02);
    }

    #[test]
    fn triangles_have_area_or_height_one() {
        let bin_hz = f64::from(CLAP_RATE_HZ) / 1024.0;
        let area: f64 = MelScale::Slaney
            .filters()
            .column(63)
            .iter()
            .map(|&x| f64::from(x) * bin_hz)
            .sum();
        assert!((area - 1.0).abs() < 0.02, "{area}");
        let height = MelScale::Htk
            .filters()
            .column(63)
            .iter()
            .fold(0.0f32, |m, &x| m.max(x));
        assert!((0.9..=1.0).contains(&height), "{height}");
    }
}

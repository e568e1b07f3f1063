//! A sound file as a thumbnail.

use std::fmt::Write;
use std::path::Path;

use crate::audio::{self, AudioError};

/// Columns of a thumbnail.
pub const BUCKETS: usize = 120;
/// Its height; the middle is silence.
pub const HEIGHT: i32 = 40;
/// Peaks below this share of full scale are not blown up to the whole height: silence stays flat.
const QUIET: f32 = 0.02;

/// What a thumbnail shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// Lowest and highest row of each column, 0 at the top, to [`HEIGHT`]; scaled to the loudest sample of the file.
    pub columns: Vec<(i32, i32)>,
    pub seconds: f64,
}

/// Decode `path` and find the peaks.
pub fn read(path: &Path) -> Result<Waveform, AudioError> {
    let recording = audio::decode(path)?;
    let seconds = recording.samples.len() as f64 / f64::from(recording.sample_rate_hz);
    Ok(Waveform {
        columns: columns(&recording.samples),
        seconds,
    })
}

fn columns(samples: &[f32]) -> Vec<(i32, i32)> {
    let edge = |i: usize| i * samples.len() / BUCKETS;
    let peaks = (0..BUCKETS).map(|i| {
        // A file of fewer samples than columns repeats them.
        let from = edge(i).min(samples.len() - 1);
        let bucket = &samples[from..edge(i + 1).max(from + 1)];
        let fold = |(low, high): (f32, f32), &x: &f32| (low.min(x), high.max(x));
        bucket.iter().fold((f32::INFINITY, f32::NEG_INFINITY), fold)
    });
    let peaks: Vec<(f32, f32)> = peaks.collect();
    let loudest = peaks
        .iter()
        .fold(QUIET, |most, &(low, high)| most.max(-low).max(high));
    let half = HEIGHT as f32 / 2.0;
    let row = |x: f32| (half - x / loudest * (half - 1.0)).round() as i32;
    peaks
        .iter()
        .map(|&(low, high)| (row(high), row(low)))
        .collect()
}

impl Waveform {
    /// The `d` of a path of vertical strokes, at least one row high.
    pub fn path(&self) -> String {
        let mut d = String::with_capacity(self.columns.len() * 8);
        for (x, &(top, bottom)) in self.columns.iter().enumerate() {
            let _ = write!(d, "M{x} {top}v{}", (bottom - top).max(1));
        }
        d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_fill_the_height_and_silence_is_flat() {
        let mut samples = vec![0.0; 1200];
        samples[0] = 0.5;
        samples[1199] = -0.25;
        let columns = columns(&samples);
        assert_eq!(columns.len(), BUCKETS);
        assert_eq!(columns[0], (1, 20));
        assert_eq!(columns[60], (20, 20));
        assert_eq!(columns[119], (20, 30));
        let flat = super::columns(&[0.0]);
        assert!(flat.iter().all(|&column| column == (20, 20)));
        let faint = super::columns(&[0.001, -0.001]);
        assert!(
            faint
                .iter()
                .all(|&(top, bottom)| (19..=21).contains(&top) && bottom <= 21)
        );
    }

    #[test]
    fn the_path_is_short() {
        let wave = Waveform {
            columns: vec![(1, 39), (20, 20)],
            seconds: 1.0,
        };
        assert_eq!(wave.path(), "M0 1v38M1 20v1");
    }
}

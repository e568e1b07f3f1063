//! A sound file as a thumbnail.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use clap_audio::{self, AudioError};

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

/// Decode `path` and find the peaks: twice, since where a column ends is known at the end, and no more than a block is held.
pub fn read(path: &Path) -> Result<Waveform, AudioError> {
    let heard = clap_audio::each_block(path, |_, _| {})?;
    let mut peaks = Peaks::of(heard.samples);
    clap_audio::each_block(path, |_, block| peaks.add(block))?;
    Ok(Waveform {
        columns: peaks.columns(),
        seconds: heard.seconds(),
    })
}

/// The lowest and the highest sample of each column.
struct Peaks {
    /// Samples in all.
    samples: usize,
    /// Of which so many came.
    seen: usize,
    peaks: Vec<(f32, f32)>,
}

impl Peaks {
    /// Of a file of `samples`, at least one.
    fn of(samples: usize) -> Self {
        Self {
            samples,
            seen: 0,
            peaks: vec![(f32::INFINITY, f32::NEG_INFINITY); BUCKETS],
        }
    }

    /// The samples of a column; a file of fewer samples than columns repeats them.
    fn range(&self, column: usize) -> Range<usize> {
        let edge = |i: usize| i * self.samples / BUCKETS;
        let from = edge(column).min(self.samples - 1);
        from..edge(column + 1).max(from + 1)
    }

    fn add(&mut self, block: &[f32]) {
        let (from, to) = (self.seen, self.seen + block.len());
        self.seen = to;
        for column in 0..BUCKETS {
            let range = self.range(column);
            let here = range.start.max(from)..range.end.min(to);
            if here.is_empty() {
                continue;
            }
            let (low, high) = &mut self.peaks[column];
            for &sample in &block[here.start - from..here.end - from] {
                *low = low.min(sample);
                *high = high.max(sample);
            }
        }
    }

    fn columns(&self) -> Vec<(i32, i32)> {
        let loudest = self
            .peaks
            .iter()
            .fold(QUIET, |most, &(low, high)| most.max(-low).max(high));
        let half = HEIGHT as f32 / 2.0;
        let row = |x: f32| (half - x / loudest * (half - 1.0)).round() as i32;
        self.peaks
            .iter()
            .map(|&(low, high)| (row(high), row(low)))
            .collect()
    }
}

#[cfg(test)]
fn columns(samples: &[f32]) -> Vec<(i32, i32)> {
    let mut peaks = Peaks::of(samples.len());
    // Blocks that end anywhere.
    samples.chunks(7).for_each(|block| peaks.add(block));
    peaks.columns()
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

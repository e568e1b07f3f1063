//! A whole sound in windows of the 10 s that CLAP hears.
//!
//! They begin every hop, and the last one ends with the sound, unless one does already. A sound of 10 s or less is one window.
//! No more of a sound than two windows is in memory.

use std::path::Path;

use super::crops::CLIP_SAMPLES;
use super::decode::each_block;
use super::error::AudioError;
use super::mono::Heard;
use super::resample::Resampler;
use super::spectrum::CLAP_RATE_HZ;

/// Decode `path`, resampled to 48 kHz, and hand on its windows in their order: where each begins, in samples, and its samples,
/// `[480,000]`, or fewer of a sound that is shorter. `hop` are samples too, one at least.
///
/// # Errors
/// Those of [`decode`](super::decode); windows may have been handed over before.
pub fn each_window(
    path: &Path,
    hop: usize,
    mut each: impl FnMut(usize, &[f32]),
) -> Result<Heard, AudioError> {
    let mut resampler: Option<Resampler> = None;
    let mut cutter = Cutter::new(hop);
    let heard = each_block(path, |from_hz, block| {
        let resampler = resampler.get_or_insert_with(|| Resampler::new(from_hz, CLAP_RATE_HZ));
        resampler.push(block);
        cutter.push(&resampler.take(), &mut each);
    })?;
    let rest = resampler.map(Resampler::finish).unwrap_or_default();
    cutter.push(&rest, &mut each);
    cutter.finish(&mut each);
    Ok(heard)
}

/// Cuts what comes block by block.
struct Cutter {
    hop: usize,
    /// Where the next window begins.
    next: usize,
    /// What is still wanted of the signal, and where it begins.
    held: Vec<f32>,
    base: usize,
}

impl Cutter {
    fn new(hop: usize) -> Self {
        Self {
            hop: hop.max(1),
            next: 0,
            held: Vec::new(),
            base: 0,
        }
    }

    fn push(&mut self, samples: &[f32], each: &mut impl FnMut(usize, &[f32])) {
        for block in samples.chunks(CLIP_SAMPLES) {
            self.held.extend_from_slice(block);
            let end = self.base + self.held.len();
            while self.next + CLIP_SAMPLES <= end {
                let at = self.next - self.base;
                each(self.next, &self.held[at..at + CLIP_SAMPLES]);
                self.next += self.hop;
            }
            // What the next window needs, and what the last one would if nothing came any more.
            let wanted = self.next.min(end.saturating_sub(CLIP_SAMPLES));
            self.held.drain(..wanted.saturating_sub(self.base));
            self.base = self.base.max(wanted);
        }
    }

    fn finish(self, each: &mut impl FnMut(usize, &[f32])) {
        let end = self.base + self.held.len();
        // Where the last window ended, had it been followed by another.
        let heard = match self.next {
            0 => 0,
            next => next - self.hop + CLIP_SAMPLES,
        };
        if heard < end {
            let start = end.saturating_sub(CLIP_SAMPLES);
            each(start, &self.held[start - self.base..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where windows begin, of which each sample is checked.
    fn starts(samples: usize, hop: usize, block: usize) -> Vec<usize> {
        let signal: Vec<f32> = (0..samples).map(|i| i as f32).collect();
        let mut cutter = Cutter::new(hop);
        let mut starts = Vec::new();
        let mut each = |start: usize, window: &[f32]| {
            assert_eq!(window.len(), samples.min(CLIP_SAMPLES));
            assert_eq!(window[0], start as f32);
            assert_eq!(window[window.len() - 1], (start + window.len() - 1) as f32);
            starts.push(start);
        };
        for block in signal.chunks(block) {
            cutter.push(block, &mut each);
            assert!(cutter.held.len() <= 2 * CLIP_SAMPLES);
        }
        cutter.finish(&mut each);
        starts
    }

    #[test]
    fn the_last_window_ends_with_the_sound_and_is_not_counted_twice() {
        const S: usize = CLAP_RATE_HZ as usize;
        for block in [700, 480_000, 3_000_000] {
            assert_eq!(
                starts(30 * S, 5 * S, block),
                [0, 5 * S, 10 * S, 15 * S, 20 * S]
            );
            assert_eq!(starts(22 * S, 5 * S, block), [0, 5 * S, 10 * S, 12 * S]);
            assert_eq!(starts(10 * S, 5 * S, block), [0]);
            assert_eq!(starts(10 * S + 1, 10 * S, block), [0, 1]);
            assert_eq!(starts(3 * S, 5 * S, block), [0]);
            assert_eq!(starts(20 * S + 1, 10 * S, block), [0, 10 * S, 10 * S + 1]);
        }
    }
}

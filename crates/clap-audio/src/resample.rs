//! Band-limited resampling, sample for sample as `torchaudio.functional.resample` with its defaults
//! (`sinc_interp_hann`, `lowpass_filter_width` 6, `rolloff` 0.99).
//!
//! Output m lies at input time m * from / to. With both rates divided by their greatest common divisor, output m uses
//! phase j = m mod to of a bank of Hann-windowed sinc kernels, shifted by (m div to) * from inputs. torchaudio keeps
//! 2 * width + from taps for each phase, nearly all of them zero (gigabytes for 44,101 Hz); this keeps the taps within
//! the window.
//!
//! torchaudio computes the kernels in the dtype of the signal, f32: at 44.1 kHz they differ from exact arithmetic by
//! 4e-6. So the kernels here are made by the same operations, in f32, in the same order.

use std::f32::consts::PI;

/// Zero crossings of the sinc on each side (`lowpass_filter_width`).
const ZERO_CROSSINGS: f32 = 6.0;
/// Cut-off as a part of the lower Nyquist frequency (`rolloff`).
const ROLLOFF: f64 = 0.99;
/// Kernels are cut to a multiple of this many taps, summed in as many lanes, so that the sum vectorises and its order
/// is fixed.
const LANES: usize = 8;

/// Resample `samples` `[samples]` from `from_hz` to `to_hz`: `ceil(samples * to / from)` of them come out.
///
/// Nothing is done when the rates are equal. A rate of zero gives no samples.
pub fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(from_hz, to_hz);
    resampler.push(samples);
    resampler.finish()
}

/// Inputs that are taken at once: their windows are moved out of the way once they are done with.
const AT_ONCE: usize = 1 << 15;

/// Resamples what comes block by block, and holds what came out and a window of what went in. The blocks change nothing.
pub struct Resampler {
    /// And the rates, divided by their greatest common divisor; `None` when nothing is to be resampled.
    bank: Option<(KernelBank, usize, usize)>,
    /// The rates are equal.
    passes: bool,
    /// The signal from the input `base` on, counted from `reach` zeros before it.
    window: Vec<f32>,
    base: usize,
    inputs: usize,
    /// What came out and was not taken, and how much was.
    out: Vec<f32>,
    taken: usize,
}

impl Resampler {
    /// From and to rates [Hz]; a rate of zero gives no samples.
    pub fn new(from_hz: u32, to_hz: u32) -> Self {
        let bank = (from_hz != to_hz && from_hz > 0 && to_hz > 0).then(|| {
            let divisor = gcd(from_hz, to_hz);
            let (from, to) = ((from_hz / divisor) as usize, (to_hz / divisor) as usize);
            (KernelBank::new(from, to), from, to)
        });
        Self {
            window: bank
                .iter()
                .flat_map(|(bank, ..)| vec![0.0; bank.reach])
                .collect(),
            bank,
            passes: from_hz == to_hz,
            base: 0,
            inputs: 0,
            out: Vec::new(),
            taken: 0,
        }
    }

    /// Samples that came out so far and were not taken.
    pub fn ready(&self) -> usize {
        self.out.len()
    }

    /// Take what came out so far, `[samples]`.
    pub fn take(&mut self) -> Vec<f32> {
        self.taken += self.out.len();
        std::mem::take(&mut self.out)
    }

    /// Take the next samples of the signal.
    pub fn push(&mut self, samples: &[f32]) {
        self.inputs += samples.len();
        if self.bank.is_none() {
            if self.passes {
                self.out.extend_from_slice(samples);
            }
            return;
        }
        for block in samples.chunks(AT_ONCE) {
            self.window.extend_from_slice(block);
            self.run(usize::MAX);
        }
    }

    /// What came out and was not taken, `[samples]`.
    pub fn finish(mut self) -> Vec<f32> {
        let Some((bank, from, to)) = &self.bank else {
            return self.out;
        };
        // As many zeros behind the signal as any kernel reaches.
        let length = match self.inputs {
            0 => 0,
            inputs => output_length(inputs, *from, *to),
        };
        let behind = from + bank.reach + bank.taps;
        self.window.resize(self.window.len() + behind, 0.0);
        self.run(length);
        self.out
    }

    /// Every output below `length` whose window is there.
    fn run(&mut self, length: usize) {
        let Some((bank, from, to)) = &self.bank else {
            return;
        };
        let mut next = self.taken + self.out.len();
        let first_of = |output: usize| (output / to) * from + bank.firsts[output % to];
        while next < length {
            let at = first_of(next) - self.base;
            let Some(window) = self.window.get(at..at + bank.taps) else {
                break;
            };
            let phase = (next % to) * bank.taps;
            self.out
                .push(dot(window, &bank.kernels[phase..phase + bank.taps]));
            next += 1;
        }
        let done = (first_of(next) - self.base).min(self.window.len());
        self.window.drain(..done);
        self.base += done;
    }
}

/// torchaudio rounds `samples * to / from` to f32 before the ceiling: beyond 2^24 outputs (5.8 minutes at 48 kHz) this
/// may be a sample more or less than the exact ceiling.
fn output_length(samples: usize, from: usize, to: usize) -> usize {
    let wanted = (samples as f64 * to as f64 / from as f64) as f32;
    (wanted.ceil() as usize).min((samples / from + 1) * to)
}

/// The taps that are not zero, of every phase.
struct KernelBank {
    /// Taps of each kernel, a multiple of [`LANES`].
    taps: usize,
    /// `[phases, taps]`.
    kernels: Vec<f32>,
    /// `[phases]`: the input that the first tap is for, counted from `reach` inputs before the signal.
    firsts: Vec<usize>,
    /// Inputs that a kernel reaches back at most (torchaudio's `width`).
    reach: usize,
}

impl KernelBank {
    fn new(from: usize, to: usize) -> Self {
        let cutoff = from.min(to) as f64 * ROLLOFF;
        let reach = (f64::from(ZERO_CROSSINGS) * from as f64 / cutoff).ceil() as usize;
        // Within 6 / cutoff of the centre, counted in inputs, and one on each side for the roundings.
        let taps = (2 * reach + 2).next_multiple_of(LANES);
        let scale = (cutoff / from as f64) as f32;
        let mut kernels = Vec::with_capacity(to * taps);
        let mut firsts = Vec::with_capacity(to);
        for phase in 0..to {
            let first = phase * from / to; // the centre, less `reach`, plus the padding of `reach`
            firsts.push(first);
            kernels.extend((first..first + taps).map(|i| {
                let input = i as f32 - reach as f32;
                let t = (-(phase as f32) / to as f32 + input / from as f32) * cutoff as f32;
                kernel(t, scale)
            }));
        }
        Self {
            taps,
            kernels,
            firsts,
            reach,
        }
    }
}

/// The windowed sinc at `t` zero crossings from its centre: each operation as torchaudio has it, in f32.
fn kernel(t: f32, scale: f32) -> f32 {
    let t = t.clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS);
    let window = (t * PI / ZERO_CROSSINGS / 2.0).cos();
    let t = t * PI;
    let sinc = if t == 0.0 { 1.0 } else { t.sin() / t };
    sinc * (window * window * scale)
}

/// The dot product of two slices whose length is a multiple of [`LANES`].
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(b.as_chunks::<LANES>().0)
    {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(length: usize, hz: f64, rate_hz: f64) -> Vec<f32> {
        (0..length)
            .map(|i| (std::f64::consts::TAU * hz * i as f64 / rate_hz).sin() as f32)
            .collect()
    }

    #[test]
    fn a_tone_stays_the_same_tone_at_any_ratio() {
        for (from, to) in [
            (32_000, 48_000),
            (44_100, 48_000),
            (44_101, 48_000),
            (8_000, 48_000),
            (96_000, 48_000),
            (767_999, 48_000),
        ] {
            let seconds = 0.5;
            let samples = sine((f64::from(from) * seconds) as usize, 440.0, f64::from(from));
            let got = resample(&samples, from, to);
            let want = sine(got.len(), 440.0, f64::from(to));
            let inner = 200..got.len() - 200;
            let error = got[inner.clone()]
                .iter()
                .zip(&want[inner])
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(error < 4e-3, "{from} to {to}: {error}");
        }
    }

    #[test]
    fn tones_above_the_new_nyquist_frequency_go_away() {
        let got = resample(&sine(96_000, 30_000.0, 96_000.0), 96_000, 48_000);
        let loudest = got[100..got.len() - 100]
            .iter()
            .fold(0.0f32, |m, x| m.max(x.abs()));
        assert!(loudest < 1e-2, "{loudest}");
    }

    #[test]
    fn blocks_change_nothing() {
        for (from, to) in [
            (32_000, 48_000),
            (44_100, 48_000),
            (44_101, 48_000),
            (48_000, 48_000),
            (96_000, 48_000),
            (1_000, 48_000),
        ] {
            let samples = sine(70_001, 440.0, f64::from(from));
            let whole = resample(&samples, from, to);
            for block in [1, 7, 1_000, 32_768, 69_999] {
                let mut resampler = Resampler::new(from, to);
                samples
                    .chunks(block)
                    .for_each(|block| resampler.push(block));
                assert!(
                    resampler.finish() == whole,
                    "{from} to {to} in blocks of {block}"
                );
            }
        }
    }

    #[test]
    fn lengths_are_ceilings_and_corner_cases_hold() {
        assert_eq!(resample(&[0.5; 7], 48_000, 48_000), [0.5; 7]);
        assert!(resample(&[], 32_000, 48_000).is_empty());
        assert!(resample(&[1.0], 0, 48_000).is_empty());
        assert!(resample(&[1.0], 48_000, 0).is_empty());
        assert_eq!(resample(&[1.0; 3], 32_000, 48_000).len(), 5);
        assert_eq!(resample(&[1.0], 48_000, 32_000).len(), 1);
        assert_eq!(resample(&[1.0; 44_101], 44_101, 48_000).len(), 48_000);
        assert_eq!(resample(&[1.0; 1_000], 1_000, 768_000).len(), 768_000);
    }
}

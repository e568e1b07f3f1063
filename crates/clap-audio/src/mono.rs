//! Interleaved samples to blocks of mono, within what a sound may be.

use std::fmt;

use super::error::AudioFault;

/// Sample rates that a header may state [Hz]; others are a damaged header rather than audio.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Samples per channel that are decoded at most: 3.1 hours at 48 kHz. A few kilobytes of FLAC can decode to far more than
/// that.
const MAX_SAMPLES: usize = 1 << 29;
/// And no longer than this [s]: at 48 kHz, to which everything is resampled, an hour takes 0.7 GB where it is not heard in windows.
const MAX_SECONDS: usize = 2 * 3600;

/// What is not as it should be in a file that is read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A WAV written to a pipe, so that its header was never completed.
    LengthUnknown,
    /// Bytes of the last sample are missing.
    PartOfSample,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LengthUnknown => {
                "its header does not say how long it is, as when a WAV is written to a pipe; it is read to the end of the file"
            }
            Self::PartOfSample => "its last sample is not whole, and is left out",
        })
    }
}

/// What a file that was decoded to its end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Per channel, at least one.
    pub samples: usize,
    /// Samples per second [Hz], 1,000 to 768,000.
    pub sample_rate_hz: u32,
    /// How many channels the file has.
    pub channels: u16,
    pub told: Option<Told>,
}

impl Heard {
    /// Its length [s].
    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.sample_rate_hz)
    }
}

/// Takes blocks of mono at a rate [Hz].
pub(super) type Sink<'s> = &'s mut dyn FnMut(u32, &[f32]);

/// Samples of mono that are handed on together.
const BLOCK: usize = 1 << 15;

/// Takes interleaved samples, one after the other, and hands on the mean of the channels.
///
/// Sums are in f64: for two channels this gives the f32 mean exactly, and the sum of huge samples cannot overflow.
pub(super) struct Mono<'s> {
    sink: Sink<'s>,
    block: Vec<f32>,
    /// Handed on, or in the block.
    count: usize,
    sample_rate_hz: u32,
    channels: u16,
    /// Samples that are taken.
    most: usize,
    filled: u16,
    sum: f64,
}

impl<'s> Mono<'s> {
    /// `expected` samples per channel are announced; 0 where the file does not say.
    pub(super) fn new(
        sample_rate_hz: u32,
        channels: usize,
        expected: usize,
        sink: Sink<'s>,
    ) -> Result<Self, AudioFault> {
        if !RATES_HZ.contains(&sample_rate_hz) {
            return Err(AudioFault::SampleRate(sample_rate_hz));
        }
        let channels = match u16::try_from(channels) {
            Ok(0) | Err(_) => return Err(AudioFault::NoChannels),
            Ok(n) => n,
        };
        let most = MAX_SAMPLES.min(sample_rate_hz as usize * MAX_SECONDS);
        if expected > most {
            return Err(AudioFault::TooLong(most as u64));
        }
        Ok(Self {
            sink,
            block: Vec::with_capacity(BLOCK),
            count: 0,
            sample_rate_hz,
            channels,
            most,
            filled: 0,
            sum: 0.0,
        })
    }

    /// The next sample of the next channel.
    pub(super) fn push(&mut self, value: f32) -> Result<(), AudioFault> {
        if !value.is_finite() {
            let index = self.count as u64;
            return Err(AudioFault::NotFinite { index, value });
        }
        self.sum += f64::from(value);
        self.filled += 1;
        if self.filled == self.channels {
            if self.count == self.most {
                return Err(AudioFault::TooLong(self.most as u64));
            }
            self.block
                .push((self.sum / f64::from(self.channels)) as f32);
            self.count += 1;
            if self.block.len() == BLOCK {
                self.hand_on();
            }
            self.filled = 0;
            self.sum = 0.0;
        }
        Ok(())
    }

    fn hand_on(&mut self) {
        (self.sink)(self.sample_rate_hz, &self.block);
        self.block.clear();
    }

    pub(super) fn finish(mut self) -> Result<Heard, AudioFault> {
        if self.count == 0 {
            return Err(AudioFault::NoSamples);
        }
        self.hand_on();
        Ok(Heard {
            samples: self.count,
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
            told: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_is_the_mean_of_the_channels_even_of_huge_ones() {
        let mut heard = Vec::new();
        let mut sink = |_, block: &[f32]| heard.extend_from_slice(block);
        let mut mono = Mono::new(48_000, 3, 2, &mut sink).unwrap();
        for value in [1.0, 0.5, 0.0, f32::MAX, f32::MAX, f32::MAX] {
            mono.push(value).unwrap();
        }
        assert_eq!(mono.finish().unwrap().samples, 2);
        assert_eq!(heard, [0.5, f32::MAX]);
    }

    #[test]
    fn samples_that_are_no_numbers_are_named_by_their_place() {
        let mut sink = |_, _: &[f32]| {};
        let mut mono = Mono::new(48_000, 2, 0, &mut sink).unwrap();
        for _ in 0..3 {
            mono.push(0.0).unwrap();
        }
        let error = mono.push(f32::NAN).unwrap_err();
        assert!(error.to_string().starts_with("sample 1 is NaN"), "{error}");
    }

    #[test]
    fn absurd_rates_and_channel_counts_are_refused() {
        for rate in [0, 999, 768_001, u32::MAX] {
            let mut sink = |_, _: &[f32]| {};
            let mono = Mono::new(rate, 1, 0, &mut sink);
            assert!(matches!(mono, Err(AudioFault::SampleRate(r)) if r == rate));
        }
        assert!(matches!(
            Mono::new(48_000, 0, 0, &mut |_, _| {}),
            Err(AudioFault::NoChannels)
        ));
        assert!(matches!(
            Mono::new(48_000, 1 << 20, 0, &mut |_, _| {}),
            Err(AudioFault::NoChannels)
        ));
    }
}

//! A sound file of any supported format to mono samples.
//!
//! The format is told from the first bytes, not from the name: a WAV called `.mp3` is read as the WAV that it is.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::compressed::{self, Container};
use super::error::{AudioError, AudioFault};
use super::wav;

/// File name endings, lower-case, that a scan of a folder takes for sound files.
pub const EXTENSIONS: [&str; 4] = ["wav", "flac", "ogg", "mp3"];

/// Sample rates that a header may state [Hz]; others are a damaged header rather than audio.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Samples per channel that are decoded at most: 3.1 hours at 48 kHz. A few kilobytes of FLAC can decode to far more than
/// that.
const MAX_SAMPLES: usize = 1 << 29;
/// And no longer than this [s]: at 48 kHz, to which everything is resampled, an hour takes 0.7 GB.
const MAX_SECONDS: usize = 3600;

/// A decoded sound file.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The mean of the channels, `[samples]`; full scale is ±1, all finite, at least one.
    pub samples: Vec<f32>,
    /// Samples per second [Hz], 1,000 to 768,000.
    pub sample_rate_hz: u32,
    /// How many channels the file has.
    pub channels: u16,
}

/// Read a WAV, FLAC, Ogg Vorbis or MP3 file to mono: the mean of its channels, at its own rate.
///
/// Integer samples of n bits are divided by 2^(n - 1), as soundfile and torchaudio do.
///
/// # Errors
/// A file that cannot be opened, is of no supported format, is cut off or damaged, holds no samples or a sample that
/// is not finite. An MP3 without a Xing, Info or VBRI header does not say how long it is: only there a missing end
/// goes unnoticed.
pub fn decode(path: &Path) -> Result<Recording, AudioError> {
    let mut samples = Vec::new();
    let heard = each_block(path, |_, block| samples.extend_from_slice(block))?;
    Ok(Recording {
        samples,
        sample_rate_hz: heard.sample_rate_hz,
        channels: heard.channels,
    })
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
}

impl Heard {
    /// Its length [s].
    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.sample_rate_hz)
    }
}

/// As [`decode`], and `each` gets the rate [Hz] and a block of some ten thousand samples of mono after the other: no more is
/// in memory, however long the file is.
///
/// # Errors
/// Those of [`decode`]; blocks may have been handed over before.
pub fn each_block(path: &Path, mut each: impl FnMut(u32, &[f32])) -> Result<Heard, AudioError> {
    read(path, &mut each).map_err(|fault| AudioError {
        file: path.to_owned(),
        fault,
    })
}

/// Takes blocks of mono at a rate [Hz].
pub(super) type Sink<'s> = &'s mut dyn FnMut(u32, &[f32]);

fn read(path: &Path, sink: Sink) -> Result<Heard, AudioFault> {
    // Before opening: to open a pipe that nobody writes to would wait for ever.
    let length = match fs::metadata(path)? {
        m if !m.is_file() => return Err(AudioFault::NotAFile),
        m if m.len() == 0 => return Err(AudioFault::Empty),
        m => m.len(),
    };
    let mut file = File::open(path)?;
    let mut start = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    match sniff(&start) {
        Some(Format::Wav) => wav::read(file, length, sink),
        Some(Format::Compressed(container)) => compressed::read(file, container, sink),
        None => Err(AudioFault::UnknownFormat),
    }
}

#[derive(Debug, PartialEq)]
enum Format {
    Wav,
    Compressed(Container),
}

/// The format that a file's first (up to 12) bytes announce.
fn sniff(start: &[u8]) -> Option<Format> {
    match start {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => Some(Format::Wav),
        [b'f', b'L', b'a', b'C', ..] => Some(Format::Compressed(Container::Flac)),
        [b'O', b'g', b'g', b'S', ..] => Some(Format::Compressed(Container::Ogg)),
        [b'I', b'D', b'3', ..] => Some(Format::Compressed(Container::Mp3)),
        // An MPEG frame header: 11 bits of sync, a version that is not reserved (01), layer III (01), a bit rate and a
        // sample rate that are not reserved.
        [0xff, b, c, ..]
            if b & 0xe0 == 0xe0
                && b & 0x18 != 0x08
                && b & 0x06 == 0x02
                && c & 0xf0 != 0xf0
                && c & 0x0c != 0x0c =>
        {
            Some(Format::Compressed(Container::Mp3))
        }
        _ => None,
    }
}

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

    /// Samples per channel so far.
    pub(super) fn len(&self) -> usize {
        self.count
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(sniff(b"RIFF\x00\x00\x00\x00WAVE"), Some(Format::Wav));
        assert_eq!(
            sniff(b"fLaC\x00"),
            Some(Format::Compressed(Container::Flac))
        );
        assert_eq!(sniff(b"OggS\x00"), Some(Format::Compressed(Container::Ogg)));
        assert_eq!(sniff(b"ID3\x04"), Some(Format::Compressed(Container::Mp3)));
        assert_eq!(
            sniff(b"\xff\xfb\x90\x64"),
            Some(Format::Compressed(Container::Mp3))
        );
        for other in [
            &b"RIFF\x00\x00\x00\x00AVI "[..],
            b"\xff\xfeh\x00i\x00",
            b"{\"a\": 1}",
            b"RI",
            b"\xff",
        ] {
            assert_eq!(sniff(other), None, "{other:?}");
        }
    }

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

    #[test]
    fn folders_empty_files_and_missing_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = decode(folder.path()).unwrap_err();
        assert!(matches!(error.fault, AudioFault::NotAFile));
        assert!(
            error
                .to_string()
                .contains(&*folder.path().to_string_lossy())
        );
        let empty = folder.path().join("empty.wav");
        fs::write(&empty, b"").unwrap();
        assert!(matches!(
            decode(&empty).unwrap_err().fault,
            AudioFault::Empty
        ));
        let missing = decode(&folder.path().join("missing.wav")).unwrap_err();
        assert!(matches!(missing.fault, AudioFault::Io(_)));
        let text = folder.path().join("text.wav");
        fs::write(&text, b"these are not the samples you are looking for").unwrap();
        let error = decode(&text).unwrap_err();
        assert!(
            error.to_string().contains("WAV, FLAC, Ogg Vorbis, MP3"),
            "{error}"
        );
    }
}

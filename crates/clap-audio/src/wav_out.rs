//! Music to a WAV file, to the byte as the notebooks keep it (`scipy.io.wavfile.write` of a float32 array).
//!
//! The header is written here because `hound` has another one for 32-bit floats: WAVE_FORMAT_EXTENSIBLE, with "front left"
//! as the place of a single channel, which programs that heed it play on one side only.

use std::io::{self, Write};
use std::path::Path;

const SAMPLE_BYTES: u32 = 4;
/// WAVE_FORMAT_IEEE_FLOAT.
const FLOAT: u16 = 3;
/// `WAVE` and the chunks `fmt ` (18 bytes) and `fact` (4), and the head of `data`: what RIFF's size counts beside the
/// samples.
const HEADER_BYTES: u32 = 4 + (8 + 18) + (8 + 4) + 8;

/// Write `samples` of one channel as 32-bit float, whole or not at all.
///
/// Samples are kept as they are, those beyond -1 and 1 too. The bytes depend on nothing but samples and rate.
///
/// # Errors
/// When the file cannot be written, or the samples are more than a WAV file can hold (4 GiB). What stood at `path` stays
/// then.
pub fn write_wav(path: &Path, samples: &[f32], sample_rate_hz: u32) -> io::Result<()> {
    let too_long = || io::Error::other("a WAV file holds at most 4 GiB");
    let count = u32::try_from(samples.len()).map_err(|_| too_long())?;
    let data_bytes = count.checked_mul(SAMPLE_BYTES).ok_or_else(too_long)?;
    let riff_bytes = data_bytes.checked_add(HEADER_BYTES).ok_or_else(too_long)?;
    files::write_atomic(path, |file| {
        file.write_all(b"RIFF")?;
        file.write_all(&riff_bytes.to_le_bytes())?;
        file.write_all(b"WAVEfmt ")?;
        file.write_all(&18u32.to_le_bytes())?;
        file.write_all(&FLOAT.to_le_bytes())?;
        file.write_all(&1u16.to_le_bytes())?; // channels
        file.write_all(&sample_rate_hz.to_le_bytes())?;
        file.write_all(&sample_rate_hz.saturating_mul(SAMPLE_BYTES).to_le_bytes())?;
        file.write_all(&(SAMPLE_BYTES as u16).to_le_bytes())?; // of all channels
        file.write_all(&(SAMPLE_BYTES as u16 * 8).to_le_bytes())?;
        file.write_all(&0u16.to_le_bytes())?; // bytes of `fmt ` to follow
        file.write_all(b"fact")?;
        file.write_all(&4u32.to_le_bytes())?;
        file.write_all(&count.to_le_bytes())?;
        file.write_all(b"data")?;
        file.write_all(&data_bytes.to_le_bytes())?;
        for sample in samples {
            file.write_all(&sample.to_le_bytes())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn samples_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.wav");
        let samples = [0.0, 0.5, -1.0, 1.75, -3e4, f32::MIN_POSITIVE, 1.0 / 3.0];
        write_wav(&path, &samples, 32_000).unwrap();
        let read = decode(&path).unwrap();
        assert_eq!(read.sample_rate_hz, 32_000);
        let bits = |samples: &[f32]| samples.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read.samples), bits(&samples));
    }

    /// Written with scipy 1.17: `wavfile.write(file, 32000, np.array([1, -2], np.float32))`.
    #[test]
    fn the_bytes_are_those_of_scipy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.wav");
        write_wav(&path, &[1.0, -2.0], 32_000).unwrap();
        let expected = [
            &b"RIFF\x3a\0\0\0WAVEfmt \x12\0\0\0"[..],
            b"\x03\0\x01\0\0\x7d\0\0\0\xf4\x01\0\x04\0\x20\0\0\0",
            b"fact\x04\0\0\0\x02\0\0\0",
            b"data\x08\0\0\0",
            b"\0\0\x80\x3f\0\0\0\xc0",
        ]
        .concat();
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    }
}

//! A sound file of any supported format to mono samples.
//!
//! The format is told from the first bytes, not from the name: a WAV called `.mp3` is read as the WAV that it is.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::error::{AudioError, AudioFault};
use super::mono::{Heard, Sink};
use super::sniff::{self, Format};
use super::{compressed, riff, wav, wave64};

/// File name endings, lower-case, that a scan of a folder takes for sound files.
pub const EXTENSIONS: [&str; 18] = [
    "wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "flac", "mp3", "ogg", "oga",
    "opus", "m4a", "m4b", "mka", "webm",
];

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

/// Read a sound file of any supported format to mono: the mean of its channels, at its own rate. Of a film the first track of
/// sound is read.
///
/// Integer samples of n bits are divided by 2^(n - 1), as soundfile and torchaudio do. What an encoder put before and after the
/// sound is left out where the file says how much that is.
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

fn read(path: &Path, sink: Sink) -> Result<Heard, AudioFault> {
    // Before opening: to open a pipe that nobody writes to would wait for ever.
    let length = match fs::metadata(path)? {
        m if !m.is_file() => return Err(AudioFault::NotAFile),
        m if m.len() == 0 => return Err(AudioFault::Empty),
        m => m.len(),
    };
    let mut file = File::open(path)?;
    let mut start = Vec::with_capacity(sniff::BYTES);
    file.by_ref()
        .take(sniff::BYTES as u64)
        .read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    match sniff::sniff(&start) {
        Some(Format::Wav) => {
            let header = riff::read_header(&mut file, length)?;
            wav::read(file, header, sink)
        }
        Some(Format::Wave64) => {
            let header = wave64::read_header(&mut file, length)?;
            wav::read(file, header, sink)
        }
        Some(Format::Compressed(container)) => compressed::read(file, length, container, sink),
        Some(Format::Other { name, way }) => Err(AudioFault::OtherFormat { name, way }),
        None => Err(AudioFault::UnknownFormat),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            error.to_string().contains("WAV, AIFF, CAF, FLAC, MP3"),
            "{error}"
        );
    }
}

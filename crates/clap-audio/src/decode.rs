//! A sound file of any supported format to mono samples.
//!
//! The format is told from the first bytes, not from the name: a WAV called `.mp3` is read as the WAV that it is.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::container::Container;
use super::error::{AudioError, AudioFault};
use super::mono::{Heard, Sink};
use super::{compressed, wav};

/// File name endings, lower-case, that a scan of a folder takes for sound files.
pub const EXTENSIONS: [&str; 4] = ["wav", "flac", "ogg", "mp3"];

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
        // The latter two are for more than 4 GiB.
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E']
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E']
        | [b'B', b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E'] => Some(Format::Wav),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for name in ["RIFF", "RF64", "BW64"] {
            let start = [name.as_bytes(), b"\x00\x00\x00\x00WAVE"].concat();
            assert_eq!(sniff(&start), Some(Format::Wav));
        }
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

//! What can be wrong with a sound file. Every message says what was found and what to do about it.

use std::io;
use std::path::PathBuf;

use foreign::Foreign;

/// A sound file that could not be read: which one, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {fault}", file.display())]
pub struct AudioError {
    /// The file as the caller named it.
    pub file: PathBuf,
    /// What is wrong with it.
    pub fault: AudioFault,
}

/// Why a sound file was refused.
#[derive(Debug, thiserror::Error)]
pub enum AudioFault {
    /// The system could not open or read it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A folder, a device or a pipe.
    #[error("it is not a file; name a sound file, or give a folder where a folder is asked for")]
    NotAFile,
    /// No bytes at all.
    #[error("the file is empty; make it again")]
    Empty,
    /// Its first bytes are those of no supported format.
    #[error(
        "it does not begin like a sound file of a supported format (WAV, AIFF, CAF, FLAC, MP3, Ogg, M4A, Matroska and WebM); \
         convert it, for instance to 16-bit WAV"
    )]
    UnknownFormat,
    /// Its first bytes are those of a format that is not read.
    #[error("it is {name}, which is not read; {way}")]
    OtherFormat {
        /// With an article where it needs one.
        name: &'static str,
        /// What to do instead.
        way: &'static str,
    },
    /// Pictures alone.
    #[error("it has no track of sound; name one that has")]
    NoTrack,
    /// Sold with a lock.
    #[error(
        "it is protected against copying (DRM), so that only its shop's program can play it; get it without"
    )]
    Protected,
    /// A WAV whose chunks make no sense.
    #[error("its WAV header is damaged ({0}); make the file again")]
    WavHeader(Foreign),
    /// A WAV that holds something else than PCM or float samples.
    #[error(
        "WAV of {0} is not supported (PCM of 8, 16, 24 and 32 bit, float of 32 and 64 bit, A-law, mu-law and ADPCM are); convert it, for \
         instance to 16-bit PCM"
    )]
    WavEncoding(Foreign),
    /// Fewer samples than the header says. Counts are samples per channel.
    #[error(
        "the header claims {claimed} samples, the file holds {held}; it was cut off, make it again"
    )]
    CutOff {
        /// Samples per channel that the header states.
        claimed: u64,
        /// Samples per channel that are there.
        held: u64,
    },
    /// Fewer bytes than the header says.
    #[error("it says that it has {claimed} bytes, and has {held}; it was cut off, make it again")]
    Short {
        /// Bytes that the header states.
        claimed: u64,
        /// Bytes of the file.
        held: u64,
    },
    /// A header and nothing after it.
    #[error("it holds no samples; make it again")]
    NoSamples,
    /// A sample that is no number. `index` counts samples per channel from 0.
    #[error("sample {index} is {value}; every sample must be a finite number, make the file again")]
    NotFinite {
        /// Position in its channel, from 0.
        index: u64,
        /// NaN or an infinity.
        value: f32,
    },
    /// A rate outside of 1 kHz to 768 kHz.
    #[error("its sample rate is {0} Hz; rates from 1000 to 768000 Hz are read")]
    SampleRate(u32),
    /// A header that states no channel.
    #[error("its header states no channels; make it again")]
    NoChannels,
    /// More samples than this program is willing to hold.
    #[error("it is longer than {0} samples; cut it into pieces")]
    TooLong(u64),
    /// Compressed data that do not decode.
    #[error(
        "its {format} data cannot be decoded ({reason}); it is damaged or cut off, make it again"
    )]
    Undecodable {
        /// The container.
        format: &'static str,
        /// The decoder's own words.
        reason: Foreign,
    },
    /// A container with a codec inside that is not supported.
    #[error(
        "it is {format} with a codec that is not supported ({reason}); convert it, for instance to 16-bit WAV"
    )]
    Codec {
        /// The container.
        format: &'static str,
        /// The decoder's own words.
        reason: Foreign,
    },
}

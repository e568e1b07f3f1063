//! The containers that a library decodes.

use foreign::Foreign;

use super::error::AudioFault;

/// What the first bytes announce.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Container {
    Flac,
    Ogg,
    Mp3,
    /// M4A, M4B, MP4 and MOV: the ISO base media file format.
    Mp4,
    /// AIFF and AIFF-C.
    Aiff,
    Caf,
    /// Matroska (MKA, MKV) and WebM.
    Matroska,
}

impl Container {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Mp3 => "MP3",
            Self::Mp4 => "MP4",
            Self::Aiff => "AIFF",
            Self::Caf => "CAF",
            Self::Matroska => "Matroska",
        }
    }

    pub(super) fn undecodable(self, error: impl ToString) -> AudioFault {
        AudioFault::Undecodable {
            format: self.name(),
            reason: Foreign::said(error.to_string()),
        }
    }

    pub(super) fn codec(self, reason: impl ToString) -> AudioFault {
        AudioFault::Codec {
            format: self.name(),
            reason: Foreign::said(reason.to_string()),
        }
    }
}

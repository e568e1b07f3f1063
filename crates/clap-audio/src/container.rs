//! The containers that a library decodes.

use foreign::Foreign;

use super::error::AudioFault;

/// What the first bytes announce.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Container {
    Flac,
    Ogg,
    Mp3,
}

impl Container {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Mp3 => "MP3",
        }
    }

    pub(super) fn undecodable(self, error: impl ToString) -> AudioFault {
        AudioFault::Undecodable {
            format: self.name(),
            reason: Foreign::said(error.to_string()),
        }
    }
}

//! What CLAP hears of a piece that is longer than its 10 s: the key `crops`.

use std::fmt;

use clap_audio::CropPolicy;
use foreign::{Foreign, words};
use pipelines::windows::Windows;
use serde::{Deserialize, Serialize};
use strict_yaml::{Document, YamlError};

/// `seeded`, `start`, `center`, or `windows` with their settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeardParts {
    #[default]
    Seeded,
    Start,
    Center,
    /// All of it.
    Windows(Windows),
}

impl HeardParts {
    /// How the one part is chosen, where there is one.
    pub fn policy(self) -> Option<CropPolicy> {
        match self {
            Self::Seeded => Some(CropPolicy::Seeded),
            Self::Start => Some(CropPolicy::Start),
            Self::Center => Some(CropPolicy::Center),
            Self::Windows(_) => None,
        }
    }

    /// The windows that all of it is heard in, if it is.
    pub fn windows(self) -> Option<Windows> {
        match self {
            Self::Windows(windows) => Some(windows),
            _ => None,
        }
    }

    /// What stands in the file, checked.
    pub(crate) fn checked(self, document: &Document) -> Result<Self, YamlError> {
        match self {
            Self::Windows(windows) if !Windows::HOPS_S.contains(&windows.hop_s) => {
                Err(document.invalid(
                    "crops.windows.hop_s",
                    words!(
                        "'hop_s' is {}; windows of 10 s begin every {} to {} s, so that all of a piece is heard",
                        Foreign::said(windows.hop_s),
                        Foreign::said(Windows::HOPS_S.start()),
                        Foreign::said(Windows::HOPS_S.end())
                    ),
                ))
            }
            sound => Ok(sound),
        }
    }
}

impl fmt::Display for HeardParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.policy(), self.windows()) {
            (Some(policy), _) => policy.fmt(f),
            (None, windows) => windows.unwrap_or_default().fmt(f),
        }
    }
}

//! A card as people write it.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::{Architecture, FusionShrink, Kind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCard {
    pub kind: Kind,
    pub source: RawSource,
    pub tokenizer: RawSource,
    #[serde(default)]
    pub architecture: Architecture,
    #[serde(default)]
    pub fusion_shrink: FusionShrink,
    pub licence: String,
    #[serde(default)]
    pub random_weights: bool,
    #[serde(default)]
    pub known: Vec<RawKnown>,
    #[serde(default)]
    pub cite: Vec<String>,
}

/// Either `hub` with its companions, or `path`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub hub: Option<String>,
    pub file: Option<String>,
    pub files: Option<Vec<RawFile>>,
    pub revision: Option<String>,
    pub path: Option<String>,
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

/// A file of a folder: its name, or its name with what it must be.
#[derive(Debug)]
pub(super) struct RawFile {
    pub file: String,
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFileKeys {
    file: String,
    sha256: Option<String>,
    bytes: Option<u64>,
}

impl<'de> Deserialize<'de> for RawFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrKeys;

        impl<'de> Visitor<'de> for NameOrKeys {
            type Value = RawFile;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a file's name or { file, sha256, bytes }")
            }

            fn visit_str<E>(self, name: &str) -> Result<RawFile, E> {
                Ok(RawFile {
                    file: name.to_owned(),
                    sha256: None,
                    bytes: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawFile, A::Error> {
                let RawFileKeys {
                    file,
                    sha256,
                    bytes,
                } = RawFileKeys::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawFile {
                    file,
                    sha256,
                    bytes,
                })
            }
        }

        deserializer.deserialize_any(NameOrKeys)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKnown {
    pub text: String,
    pub begins: Vec<f64>,
}

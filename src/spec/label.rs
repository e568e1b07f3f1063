//! What an experiment calls its labels: `label: mood`, or with a plural of its own `label: { one: mood, many: moods }`.
//!
//! With it, the keys `tastes` and `pieces_per_taste` are `moods` and `pieces_per_mood`.

use std::fmt;

use foreign::{Foreign, words};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use strict_yaml::{Document, YamlError};

use crate::labels::Word;
use crate::tables;

/// The key.
const LABEL: &str = "label";
/// The keys that are about labels.
const KEYS: [&str; 2] = ["tastes", "pieces_per_taste"];
/// What the lists of pieces that people write have, and the keys of files.
pub(crate) const TAKEN: [&str; 27] = [
    "path",
    "prompt",
    "id",
    "experiment",
    "notebook",
    "task",
    "label",
    "audio",
    "arms",
    "crops",
    "seed",
    "limit",
    "tsne",
    "model",
    "prompts",
    "draws",
    "duration_s",
    "guidance",
    "temperature",
    "top_k",
    "top_p",
    "permutations",
    "sets",
    "text",
    "captions",
    "queries",
    "nearest",
];

/// As written.
#[derive(Debug)]
enum Raw {
    One(String),
    Both(Both),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    one: String,
    many: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    label: Option<Raw>,
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a word, such as mood, or { one: mood, many: moods }")
            }

            fn visit_str<E: de::Error>(self, one: &str) -> Result<Raw, E> {
                Ok(Raw::One(one.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Raw, A::Error> {
                Both::deserialize(MapAccessDeserializer::new(map)).map(Raw::Both)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The word that the file says.
pub(crate) fn read(document: &Document) -> Result<Word, YamlError> {
    let word = match document.to::<Head>()?.label {
        None => return Ok(Word::default()),
        Some(Raw::One(one)) => Word::new(&one, None),
        Some(Raw::Both(Both { one, many })) => Word::new(&one, many.as_deref()),
    };
    let word = word.map_err(|message| document.invalid(LABEL, message))?;
    let own = Word::default();
    let others = tables::columns().into_iter().chain(TAKEN);
    let mut others = others.filter(|column| own.columns().all(|own| own != **column));
    let names: Vec<String> = word.columns().collect();
    let same = |other: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(other));
    match others.find(same) {
        Some(other) => {
            let message = words!(
                "labels cannot be called '{}' and '{}': there is a column or a key '{}' already; take another word",
                Foreign::new(word.one()),
                Foreign::new(word.many()),
                other
            );
            Err(document.invalid(LABEL, message))
        }
        None => Ok(word),
    }
}

/// Have the keys about labels called by the word.
pub(crate) fn call(document: &mut Document, word: &Word) -> Result<(), YamlError> {
    if word.is_default() {
        return Ok(());
    }
    for key in KEYS {
        let called = word.column(key);
        if document.has(key) && called != key {
            let message = words!(
                "with label: {} the key is '{}', not '{}'",
                Foreign::new(word.one()),
                Foreign::new(&called),
                key
            );
            return Err(document.invalid(key, message));
        }
        document.call(key, &called);
    }
    Ok(())
}

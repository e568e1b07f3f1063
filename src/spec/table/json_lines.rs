//! Rows of JSON Lines, one object a line: what the hub's data sets and many programs write. <https://jsonlines.org>
//!
//! Only what is wanted of an object is kept; lists and objects among the rest are passed over, however deep.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use csv::{Position, StringRecord};
use foreign::words;
use foreign::{Foreign, Words};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::list::List;
use crate::spec::SpecError;

/// Keys of all lines together, beyond which a file is no list.
const MOST_KEYS: usize = 1_000;

/// Whether the file holds JSON Lines: by its ending, or by its first character.
pub(super) fn is_one(path: &Path, text: &str) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let known = |ending: &str| {
        ["jsonl", "ndjson"]
            .iter()
            .any(|own| ending.eq_ignore_ascii_case(own))
    };
    ending.is_some_and(known) || text.trim_start().starts_with('{')
}

/// Every row of the text of a file, with the keys `wanted` as its columns.
pub(super) fn read(path: &Path, text: &str, wanted: &[&str]) -> Result<List, SpecError> {
    let mut list = List {
        must: "each line must have",
        columns: Vec::new(),
        others: Vec::new(),
        rows: Vec::new(),
    };
    let mut others: HashSet<String> = HashSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |message: Words| SpecError::line(path, number, message);
        let Object(entries) = serde_json::from_str(line).map_err(|e| wrong(no_object(&e)))?;
        let mut row: Vec<String> = Vec::with_capacity(list.columns.len());
        let mut seen: HashSet<&str> = HashSet::with_capacity(entries.len());
        for (key, value) in &entries {
            if !seen.insert(key) {
                return Err(wrong(words!(
                    "the key '{}' is there twice",
                    Foreign::new(key)
                )));
            }
            let Some(name) = wanted.iter().find(|name| *name == key) else {
                // Each once, in the order in which they appear.
                if !others.contains(key) {
                    others.insert(key.clone());
                    list.others.push(key.clone());
                }
                if others.len() > MOST_KEYS {
                    return Err(wrong(words!("the lines have more than {} keys", MOST_KEYS)));
                }
                continue;
            };
            let place = list.columns.iter().position(|column| column == name);
            let place = place.unwrap_or_else(|| {
                list.columns.push((*name).to_owned());
                list.columns.len() - 1
            });
            if row.len() <= place {
                row.resize(place + 1, String::new());
            }
            row[place] = cell(value).ok_or_else(|| {
                wrong(words!(
                    "'{}' holds a list or an object; a text or a number is needed there",
                    Foreign::new(key)
                ))
            })?;
        }
        let mut record = StringRecord::from(row);
        let mut position = Position::new();
        position.set_line(number);
        record.set_position(Some(position));
        list.rows.push(record);
    }
    Ok(list)
}

/// A value as text: of a number or a truth what stands there, nothing of null; `None` of a list or an object.
fn cell(value: &RawValue) -> Option<String> {
    let written = value.get().trim();
    match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str(written).ok(),
        Some(b'{' | b'[') => None,
        _ if written == "null" => Some(String::new()),
        _ => Some(written.to_owned()),
    }
}

fn no_object(error: &serde_json::Error) -> Words {
    let said = error.to_string();
    let said = said
        .rsplit_once(" at line ")
        .map_or(said.as_str(), |(said, _)| said);
    words!(
        "this is no JSON object ({}, column {}); one stands on each line, such as {{\"path\": \"a.wav\", \"prompt\": \"calm music\"}}",
        Foreign::said(said),
        error.column()
    )
}

/// Keys and values of an object, in their order.
struct Object<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

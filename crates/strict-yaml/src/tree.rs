//! YAML text → a tree that remembers where every value was written.
//!
//! `serde-saphyr` does the parsing, under limits that stop YAML bombs. The tree exists so that `--set` can change a
//! value before the schema is applied, and so that every later complaint can still name a line.

use std::path::Path;

use foreign::guarded;
use foreign::words;
use foreign::{Foreign, Words};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{MessageFormatter, Spanned, UserMessageFormatter};

use super::error::YamlError;
use super::place::{At, Place};

/// No card or experiment comes near this size.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// Nothing that people write by hand nests deeper.
const MAX_DEPTH: usize = 24;

/// One YAML value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
    /// The value as written, for the case that the schema wants text: `1e10` is a number and may be a file's name.
    pub raw: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

/// Parse one YAML document.
pub(super) fn parse(text: &str, origin: &Path) -> Result<Node, YamlError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: 100_000,
            max_documents: 1,
            max_aliases: 256,
            // What is replayed through aliases is at most the product of these two.
            max_recorded_anchor_bytes: 64 << 10,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 1_000,
            max_replay_stack_depth: 8,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    let read = guarded(|| {
        let parsed = serde_saphyr::from_str_with_options::<Spanned<Parsed>>(text, options);
        parsed.map_err(|error| syntax_error(&error, origin))
    });
    let parsed = read.unwrap_or_else(|| {
        Err(YamlError::Syntax {
            at: At::new(origin, &Place::File),
            message: "the YAML reader cannot make sense of it".into(),
        })
    })?;
    let mut root = placed(parsed, text);
    root.place = Place::File;
    Ok(root)
}

fn syntax_error(error: &serde_saphyr::Error, origin: &Path) -> YamlError {
    use serde_saphyr::Error;
    let mut cause = error.without_snippet();
    while let Error::AliasError { error, .. } = cause {
        cause = error;
    }
    let message = match cause {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            words!("the key '{}' is there twice", Foreign::new(key))
        }
        Error::DuplicateMappingKey { key: None, .. } => "a key is there twice".into(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "it nests too deep, repeats too much or is too long for such a file".into()
        }
        other => words!(
            "this is not YAML: {}",
            Foreign::said(UserMessageFormatter.format_message(other))
        ),
    };
    let place = match error.location() {
        Some(location) if location.line() > 0 => Place::Line(location.line()),
        _ => Place::File,
    };
    YamlError::Syntax {
        at: At::new(origin, &place),
        message,
    }
}

/// What the parser hands over: each child with its position.
enum Parsed {
    Scalar(Value),
    List(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Bool(v)))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Int(v.into())))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Int(v.into())))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Float(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Parsed, E> {
        Ok(Parsed::Scalar(Value::Text(v.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parsed, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Parsed::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Parsed::Map(entries))
    }
}

fn placed(parsed: Spanned<Parsed>, text: &str) -> Node {
    let place = Place::Line(parsed.referenced.line());
    let raw = written(&parsed, text);
    let value = match parsed.value {
        Parsed::Scalar(value) => value,
        Parsed::List(items) => {
            Value::List(items.into_iter().map(|item| placed(item, text)).collect())
        }
        Parsed::Map(entries) => {
            let entry = |(key, item): (Spanned<String>, Spanned<Parsed>)| {
                let place = Place::Line(key.referenced.line());
                let mut node = placed(item, text);
                // A block under a key begins a line later; people look for the key.
                if matches!(node.value, Value::Map(_) | Value::List(_)) {
                    node.place = place.clone();
                }
                Entry {
                    key: key.value,
                    place,
                    node,
                }
            };
            Value::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node { place, value, raw }
}

/// The characters of a number or of true and false as they stand in the file.
fn written(parsed: &Spanned<Parsed>, text: &str) -> Option<String> {
    let Parsed::Scalar(Value::Bool(_) | Value::Int(_) | Value::Float(_)) = parsed.value else {
        return None;
    };
    let span = parsed.defined.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let len = usize::try_from(span.byte_len()?).ok()?;
    Some(text.get(start..start.checked_add(len)?)?.trim().to_owned())
}

impl Node {
    /// The keys and values of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn entries_mut(&mut self) -> &mut [Entry] {
        match &mut self.value {
            Value::Map(entries) => entries,
            _ => &mut [],
        }
    }

    /// The value in a message: `the text 'abc'`, `a list`.
    pub fn describe(&self) -> Words {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(v) => words!("{}", v),
            Value::Int(v) => words!("the number {}", v),
            Value::Float(v) => words!("the number {}", v),
            Value::Text(v) => words!("the text '{}'", Foreign::new(v)),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "keys and values".into(),
        }
    }
}

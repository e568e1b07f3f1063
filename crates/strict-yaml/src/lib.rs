//! YAML from people: strict keys, errors with a line and the nearest valid key, and `--set` on top.
//!
//! Text → tree with positions (`tree.rs`) → overrides (`set.rs`) → typed struct (`de.rs`). One path for both sources of
//! a value: a mistake in the file is reported with its line, a mistake in `--set` with the argument.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod de;
mod error;
mod place;
mod set;
mod tree;

use std::path::{Path, PathBuf};

use de::{Fault, FaultKind, NodeDe};
use files::text::{self, TextError};
use foreign::words;
use foreign::{Foreign, Words, hint};
use place::Place;
use serde::de::DeserializeOwned;
use tree::{MAX_BYTES, Node};

pub use error::YamlError;
pub use place::At;

fn within(path: &str) -> Words {
    match path {
        "" => Words::none(),
        path => words!(" in '{}'", Foreign::new(path)),
    }
}

fn subject(path: &str) -> Words {
    match path {
        "" => "the file".into(),
        path => words!("'{}'", Foreign::new(path)),
    }
}

/// A parsed YAML file that still knows where its values were written.
#[derive(Clone, Debug)]
pub struct Document {
    origin: PathBuf,
    root: Node,
    /// Keys at the top that this file calls otherwise: the key, and what it is called.
    called: Vec<(&'static str, String)>,
}

impl Document {
    /// Read a file of at most 1 MiB.
    pub fn open(path: &Path) -> Result<Self, YamlError> {
        Document::parse(&text::read(path, MAX_BYTES)?, path)
    }

    /// Parse a text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &Path) -> Result<Self, YamlError> {
        if text.len() as u64 > MAX_BYTES {
            return Err(TextError::TooLarge {
                path: origin.to_owned(),
                limit_bytes: MAX_BYTES,
            }
            .into());
        }
        Ok(Document {
            origin: origin.to_owned(),
            root: tree::parse(text, origin)?,
            called: Vec::new(),
        })
    }

    /// Apply one `path.to.key=value`, with list items by index (`arms.0.model=x`).
    ///
    /// The value is YAML; what is no YAML is text. Keys that the file leaves out are made, so a mistyped key is found by
    /// [`Document::to`], which knows the valid ones.
    pub fn set(&mut self, assignment: &str) -> Result<(), YamlError> {
        set::set(&mut self.root, assignment)
    }

    /// Whether the value at a dotted path is there and came from [`Document::set`].
    pub fn is_set(&self, path: &str) -> bool {
        set::is_set(&self.root, path)
    }

    /// Whether there is a key of this name at the top.
    pub fn has(&self, key: &str) -> bool {
        self.root.entries().iter().any(|entry| entry.key == key)
    }

    /// Take what the file has at its top under `written` for `key`, and say `written` in errors. A `key` that is there
    /// already stays: see [`Document::has`].
    pub fn call(&mut self, key: &'static str, written: &str) {
        let entries = self.root.entries_mut();
        for entry in entries.iter_mut().filter(|entry| entry.key == written) {
            key.clone_into(&mut entry.key);
        }
        self.called.push((key, written.to_owned()));
    }

    /// What this file calls a key at its top.
    fn written<'k>(&'k self, key: &'k str) -> &'k str {
        let called = self.called.iter().find(|(own, _)| *own == key);
        called.map_or(key, |(_, written)| written)
    }

    /// A dotted path as this file writes it: see [`Document::call`].
    pub fn path_written(&self, path: &str) -> String {
        match path.split_once('.') {
            Some((top, rest)) => format!("{}.{rest}", self.written(top)),
            None => self.written(path).to_owned(),
        }
    }

    /// The document as a typed value.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, YamlError> {
        T::deserialize(NodeDe(&self.root)).map_err(|fault| self.explain(fault))
    }

    /// An error about the value at a dotted path, placed where that value was written.
    pub fn invalid(&self, path: &str, message: impl Into<Words>) -> YamlError {
        YamlError::Invalid {
            at: set::place_of(&self.root, path, &self.origin),
            message: message.into(),
        }
    }

    fn explain(&self, fault: Fault) -> YamlError {
        let at = At::new(&self.origin, fault.place.as_ref().unwrap_or(&Place::File));
        let at_the_top = |key| match fault.path.is_empty() {
            true => self.written(key),
            false => key,
        };
        let path = self.path_written(&fault.path);
        match fault.kind {
            FaultKind::UnknownKey { key, valid } => {
                let key = at_the_top(&key);
                let valid: Vec<&str> = valid.iter().map(|valid| at_the_top(valid)).collect();
                YamlError::UnknownKey {
                    at,
                    key: Foreign::new(key),
                    within: within(&path),
                    hint: hint(key, &valid),
                }
            }
            FaultKind::UnknownValue { value, valid } => YamlError::UnknownValue {
                at,
                path: Foreign::new(path),
                value: Foreign::new(&value),
                hint: hint(&value, valid),
            },
            FaultKind::MissingKey(key) => YamlError::MissingKey {
                at,
                key: Foreign::new(at_the_top(key)),
                within: within(&path),
            },
            FaultKind::Wrong { expected, found } => YamlError::WrongType {
                at,
                what: subject(&path),
                expected,
                found,
            },
            FaultKind::Message(message) => YamlError::Invalid {
                at,
                message: message.into(),
            },
        }
    }
}

/// Parse a text straight into a typed value.
pub fn parse<T: DeserializeOwned>(text: &str, origin: &Path) -> Result<T, YamlError> {
    Document::parse(text, origin)?.to()
}

#[cfg(test)]
mod tests;

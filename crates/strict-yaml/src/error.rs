//! What is wrong with a file or a `--set`.

use files::text::TextError;
use foreign::{Foreign, Words};

use super::place::At;

/// A file or a `--set` that is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("{at}: {message}")]
    Syntax { at: At, message: Words },
    /// `hint` names the nearest valid key and all of them.
    #[error("{at}: unknown key '{key}'{within}{hint}")]
    UnknownKey {
        at: At,
        key: Foreign,
        within: Words,
        hint: Words,
    },
    #[error("{at}: '{path}' cannot be '{value}'{hint}")]
    UnknownValue {
        at: At,
        path: Foreign,
        value: Foreign,
        hint: Words,
    },
    #[error("{at}: the key '{key}' is missing{within}")]
    MissingKey { at: At, key: Foreign, within: Words },
    #[error("{at}: {what} must be {expected}, found {found}")]
    WrongType {
        at: At,
        what: Words,
        expected: Words,
        found: Words,
    },
    /// A value of the right type that makes no sense.
    #[error("{at}: {message}")]
    Invalid { at: At, message: Words },
    /// A `--set` that names no place in the document.
    #[error("--set {assignment}: {message}")]
    Set { assignment: Foreign, message: Words },
}

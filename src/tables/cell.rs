//! Text in a cell of a CSV.
//!
//! Spreadsheets take a cell that begins with one of `= + - @`, a tab or a carriage return for a formula, and ids and prompts
//! come from strangers. Such a text is written with an apostrophe before it, which spreadsheets take as "this is text", and
//! read back without. A text that begins with apostrophes and then such a character gets one more, so that every text reads
//! back as it was. (OWASP, CSV Injection.)

use std::borrow::Cow;

const APOSTROPHE: char = '\'';

fn is_formula(text: &str) -> bool {
    let rest = text.trim_start_matches(APOSTROPHE);
    rest.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The text as it is written.
pub fn guarded(text: &str) -> Cow<'_, str> {
    match is_formula(text) {
        true => Cow::Owned(format!("{APOSTROPHE}{text}")),
        false => Cow::Borrowed(text),
    }
}

/// The text as it was before [`guarded`].
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix(APOSTROPHE) {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

/// Serde helpers for a column of text.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<T: AsRef<str>, S: Serializer>(text: &T, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::guarded(text.as_ref()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
        Ok(super::unguarded(&String::deserialize(d)?).to_owned())
    }

    /// The same for a column that may be empty.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serializer};

        use super::super::{guarded, unguarded};

        pub fn serialize<T: AsRef<str>, S: Serializer>(
            text: &Option<T>,
            s: S,
        ) -> Result<S::Ok, S::Error> {
            match text {
                Some(text) => s.serialize_some(&guarded(text.as_ref())),
                None => s.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
            let cell = Option::<String>::deserialize(d)?;
            Ok(cell.map(|cell| unguarded(&cell).to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_every_text_reads_back() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("'=1+1", "''=1+1"),
            ("-x", "'-x"),
            ("@a", "'@a"),
            ("\tx", "'\tx"),
            ("'quoted'", "'quoted'"),
            ("sweet music", "sweet music"),
            ("", ""),
            ("'", "'"),
        ] {
            assert_eq!(guarded(text), cell);
            assert_eq!(unguarded(cell), text);
        }
    }
}

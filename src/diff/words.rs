//! Strangers' texts as they may be printed.

use foreign::Foreign;

/// The most characters of an id, a name or a value that a table shows.
const SHOWN_CHARS: usize = 48;
/// The most characters of a key.
const KEY_CHARS: usize = 100;
/// Characters before the first one that differs, where the beginning is cut.
const BEFORE: usize = 12;
/// Of a hash.
const HASH_DIGITS: usize = 12;

/// An id or a name.
pub(super) fn shown(text: &str) -> Foreign {
    Foreign::within(text, SHOWN_CHARS)
}

/// The same as a cell of a table.
pub(super) fn cell(text: &str) -> String {
    shown(text).to_string()
}

/// A key of a setting.
pub(super) fn key(text: &str) -> String {
    Foreign::within(text, KEY_CHARS).to_string()
}

/// A value that only one run has; of a hash the beginning.
pub(super) fn value(text: &str) -> String {
    match is_hash(text) {
        true => text[..HASH_DIGITS].to_owned(),
        false => cell(text),
    }
}

/// Two values that differ: of long ones the part that does, if it is not at the beginning.
pub(super) fn pair(a: &str, b: &str) -> (String, String) {
    let (a, b) = match (is_hash(a), is_hash(b)) {
        (true, true) => (short(a, b), short(b, a)),
        _ => (a, b),
    };
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    if same + BEFORE < SHOWN_CHARS {
        return (cell(a), cell(b));
    }
    let from_there = |text: &str| -> String { text.chars().skip(same - BEFORE).collect() };
    let part = |text: &str| format!("…{}", shown(&from_there(text)));
    (part(a), part(b))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first digits of a hash, if those of the other one are not the same.
fn short<'a>(hash: &'a str, other: &str) -> &'a str {
    match hash[..HASH_DIGITS] == other[..HASH_DIGITS] {
        true => hash,
        false => &hash[..HASH_DIGITS],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_show_where_they_differ() {
        let long = |end: &str| format!("{}{end}", "x".repeat(2_000));
        let (a, b) = pair(&long("sweet"), &long("bitter"));
        assert_eq!(
            (a.as_str(), b.as_str()),
            ("…xxxxxxxxxxxxsweet", "…xxxxxxxxxxxxbitter")
        );
        assert_eq!(pair("sweet", "sour"), ("sweet".into(), "sour".into()));
        let (a, _) = pair(&format!("y{}", "x".repeat(2_000)), "z");
        assert!(
            a.starts_with("yxxx") && a.contains("…[1953 more]…xxx"),
            "{a}"
        );
        let (a, b) = pair(&"ab".repeat(32), &"cd".repeat(32));
        assert_eq!((a.as_str(), b.as_str()), ("abababababab", "cdcdcdcdcdcd"));
    }
}

//! Text that others wrote: names and values of their files, what their programs, libraries and servers say.
//!
//! It may hold what steers a terminal (escape sequences, controls), what turns or hides the text around it (bidirectional
//! controls, characters without a form), lines that look like ours, and any number of characters.

use std::borrow::Cow;
use std::fmt::{self, Debug, Display};

/// Of a name, an id, a value: the names of tensors are the longest that say something to their end.
const SHOWN_CHARS: usize = 120;
/// Of what a library or a server says.
const SAID_CHARS: usize = 600;
/// Of a whole message; no message of ours comes near it.
const MESSAGE_CHARS: usize = 3_900;

/// Text that others wrote, as a message may show it: on one line, escaped, and of a long one both ends.
///
/// The original is not kept and cannot be had back: this is for messages only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign(Box<str>);

impl Foreign {
    /// A name, an id, a key, a value.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::within(text, SHOWN_CHARS)
    }

    /// The same in about `most` characters, for the cells of a table.
    pub fn within(text: impl AsRef<str>, most: usize) -> Self {
        Self(cut(text.as_ref(), most, name_char).into())
    }

    /// What a library, a program or a server says, which may quote what it was given.
    pub fn said(by: impl Display) -> Self {
        Self(cut(&by.to_string(), SAID_CHARS, line_char).into())
    }
}

impl Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// A text for the terminal. New lines and tabs stay: what is ours has them on purpose.
pub fn on_terminal(text: &str) -> Cow<'_, str> {
    match text.chars().all(|c| terminal_char(c).is_none()) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(escaped(text.chars(), terminal_char)),
    }
}

/// A whole message for the terminal: as [`on_terminal`], and of a long one both ends.
pub fn message(text: &str) -> String {
    cut(text, MESSAGE_CHARS, terminal_char)
}

/// How a character is written where it may not stand as it is.
type Escape = fn(char) -> Option<String>;

fn escaped(chars: impl Iterator<Item = char>, escape: Escape) -> String {
    let mut out = String::new();
    for c in chars {
        match escape(c) {
            Some(escape) => out.push_str(&escape),
            None => out.push(c),
        }
    }
    out
}

/// The text escaped: whole, or the two ends of it that take `most` characters, and how many are between.
fn cut(text: &str, most: usize, escape: Escape) -> String {
    let width = |c: char| escape(c).map_or(1, |escape| escape.len());
    let end = most / 3;
    let head = fitting(text.chars(), most - end, width);
    let tail = fitting(text[head..].chars().rev(), end, width);
    let between = &text[head..text.len() - tail];
    let (head, tail) = (&text[..head], &text[text.len() - tail..]);
    // What is left out must be more than what says so.
    if between.chars().map(width).sum::<usize>() <= MARK_CHARS {
        return escaped(text.chars(), escape);
    }
    format!(
        "{}…[{} more]…{}",
        escaped(head.chars(), escape),
        between.chars().count(),
        escaped(tail.chars(), escape)
    )
}

/// About as many characters as `…[1234 more]…` has.
const MARK_CHARS: usize = 13;

/// The bytes of as many characters as take `most` when they are shown.
fn fitting(chars: impl Iterator<Item = char>, most: usize, width: impl Fn(char) -> usize) -> usize {
    let (mut bytes, mut taken) = (0, 0);
    for c in chars {
        taken += width(c);
        if taken > most {
            break;
        }
        bytes += c.len_utf8();
    }
    bytes
}

fn terminal_char(c: char) -> Option<String> {
    match c {
        '\n' | '\t' => None,
        c => is_unseen(c).then(|| c.escape_unicode().to_string()),
    }
}

/// A new line would look like one of ours.
fn line_char(c: char) -> Option<String> {
    match c {
        '\n' | '\t' | '\r' => Some(c.escape_default().to_string()),
        c => terminal_char(c),
    }
}

/// A backtick would end the quotation that a name stands in.
fn name_char(c: char) -> Option<String> {
    match c {
        '`' => Some(c.escape_unicode().to_string()),
        c => line_char(c),
    }
}

/// Whether a character has no form of its own: controls, formats (bidirectional ones, joiners, tags), separators of lines,
/// fillers, selectors of variants, and what Unicode has not assigned. Spaces and accents that take a place pass.
fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    match c {
        '\u{2028}' | '\u{2029}' | '\u{85}' => true,
        // Letters and marks by their category, and yet invisible: Default_Ignorable_Code_Point, and the empty Braille cell.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        // Which form of an emoji is meant.
        '\u{fe0e}' | '\u{fe0f}' => false,
        c if c.is_whitespace() => false,
        // The standard library knows what Unicode calls printable. It would escape an accent too, but not behind a letter.
        c => {
            let mut pair = [b'a', 0, 0, 0, 0];
            let len = 1 + c.encode_utf8(&mut pair[1..]).len();
            let pair = std::str::from_utf8(&pair[..len]).unwrap_or_default();
            pair.escape_debug().nth(1) == Some('\\')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_hides_or_turns_text_is_shown() {
        for c in [
            '\0',
            '\u{7}',
            '\u{8}',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2066}',
            '\u{2069}',
            '\u{206f}',
            '\u{2800}',
            '\u{3164}',
            '\u{feff}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{10ffff}',
        ] {
            let text = format!("a{c}b");
            let code = format!("\\u{{{:x}}}", u32::from(c));
            assert_eq!(on_terminal(&text), format!("a{code}b"));
            assert_eq!(message(&text), format!("a{code}b"));
            let code = if c == '\r' { "\\r".to_owned() } else { code };
            assert_eq!(Foreign::new(&text).to_string(), format!("a{code}b"));
            assert_eq!(
                format!("{:?}", Foreign::new(&text)),
                format!("\"a{code}b\"")
            );
        }
        // All that Unicode calls a control, a format, a separator of lines or a direction, without a list.
        let shown = |c: &char| on_terminal(c.encode_utf8(&mut [0; 4])) == c.to_string();
        for c in (0..=0x10_ffff_u32)
            .filter_map(char::from_u32)
            .filter(char::is_ascii_control)
        {
            assert!(!shown(&c) || matches!(c, '\n' | '\t'), "{c:?}");
        }
    }

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        for text in [
            "sweet_01",
            "it's \"so\" \\ 100 %",
            "süß–sour → ΔΩ Ж −0.5 …",
            "cafe\u{301} e\u{323}\u{302}",
            "שלום 🎵 ❤\u{fe0f}",
            "甘い\u{3000}音 हिन्दी ไทย",
            "a\u{a0}b\u{202f}c",
        ] {
            assert_eq!(on_terminal(text), text);
            assert_eq!(Foreign::new(text).to_string(), text);
        }
    }

    #[test]
    fn lines_stay_in_messages_and_not_in_foreign_text() {
        assert_eq!(on_terminal("a\n\tb"), "a\n\tb");
        assert_eq!(
            Foreign::new("a\nerror: `b`\t").to_string(),
            "a\\nerror: \\u{60}b\\u{60}\\t"
        );
        assert_eq!(Foreign::said("unknown `a`\n").to_string(), "unknown `a`\\n");
    }

    #[test]
    fn of_a_long_text_both_ends_are_shown() {
        let long = format!("begin{}end", "x".repeat(900_000));
        let shown = Foreign::new(&long).to_string();
        assert!(
            shown.starts_with("beginxxx") && shown.ends_with("xxxend"),
            "{shown}"
        );
        assert!(shown.contains("…[899888 more]…"), "{shown}");
        assert_eq!(
            shown.chars().count(),
            SHOWN_CHARS + "…[899888 more]…".chars().count()
        );
        assert!(message(&long).chars().count() < MESSAGE_CHARS + 30);
        // An escape is not cut in two, and counts as what it takes.
        let shown = Foreign::new("\u{202e}".repeat(5_000)).to_string();
        assert_eq!(shown.matches("\\u{202e}").count(), SHOWN_CHARS / 8);
        assert_eq!(shown.matches("\\u").count(), SHOWN_CHARS / 8);
        // What is left out is more than what says so.
        let short = "x".repeat(SHOWN_CHARS + MARK_CHARS);
        assert_eq!(Foreign::new(&short).to_string(), short);
        assert_eq!(
            Foreign::within("0123456789".repeat(5), 9).to_string(),
            "012345…[41 more]…789"
        );
        assert_eq!(Foreign::new("").to_string(), "");
    }

    #[test]
    fn cells_of_a_table_can_be_padded() {
        assert_eq!(format!("{:<5}|", Foreign::new("é")), "é    |");
    }
}

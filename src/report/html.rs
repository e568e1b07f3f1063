//! HTML, JSON and addresses in which no text from outside can become markup.
//!
//! Markup is `&'static str`, so that it can only come from this program's source; everything else goes through an escape. A
//! templating crate would give the same by default, and a second language, a build step and a slower build with it; there is
//! one page.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use crate::words::thousands;

/// A page, or a part of one, that grows at its end.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    pub fn new() -> Self {
        Self::default()
    }

    /// Markup of this program.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, or the value of an attribute between double quotes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match visible(c) {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A name or a prompt among other words: its direction of writing is its own.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.raw("<bdi>").text(name).raw("</bdi>")
    }

    /// ` name="value"`.
    pub fn attr(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// A number as Rust writes it.
    pub fn number(&mut self, number: impl Into<f64>) -> &mut Self {
        let number: f64 = number.into();
        let _ = write!(self.0, "{}", if number.is_finite() { number } else { 0.0 });
        self
    }

    /// A count.
    pub fn count(&mut self, count: usize) -> &mut Self {
        let _ = write!(self.0, "{count}");
        self
    }

    /// How many there are, for people.
    pub fn many(&mut self, count: usize) -> &mut Self {
        self.0.push_str(&thousands(count as u64));
        self
    }

    /// A value that scripts of the page read; the element's name is `id`.
    pub fn json(&mut self, id: &'static str, value: &impl Serialize) -> &mut Self {
        // Values are our own structs of strings and finite numbers: they always serialise.
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        self.raw("<script type=\"application/json\"")
            .attr("id", id)
            .raw(">");
        self.0.push_str(&json_in_html(&json));
        self.raw("</script>\n")
    }

    /// Another part of the page.
    pub fn part(&mut self, part: &Html) -> &mut Self {
        self.0.push_str(&part.0);
        self
    }

    /// Style sheets, scripts and fonts that the program computed or carries.
    pub(super) fn own(&mut self, code: &str) -> &mut Self {
        self.0.push_str(code);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// Without the characters that would end the element it stands in, or a line of a script.
fn json_in_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// The character that stands for `c` on the page: control characters get their pictures, and those that turn the direction of
/// what follows, which even an isolated text can misuse against its own reader, the sign for what cannot be shown.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        c => c,
    }
}

/// As [`Html::text`] shows it, for texts that a script puts on the page.
pub fn shown(text: &str) -> Cow<'_, str> {
    match text.chars().all(|c| visible(c) == c) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(visible).collect()),
    }
}

/// A name as one segment of a relative address (RFC 3986: everything but unreserved characters is encoded).
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_write_markup() {
        let mut html = Html::new();
        html.raw("<td")
            .attr("title", "\"><script>alert('1')</script>")
            .raw(">")
            .name("<b>&amp;</b>\u{0}\u{1b}\u{202e}x")
            .raw("</td>");
        assert_eq!(
            html.into_string(),
            "<td title=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\"><bdi>&lt;b&gt;&amp;amp;&lt;/b&gt;␀␛\u{fffd}x</bdi></td>"
        );
    }

    #[test]
    fn json_cannot_leave_its_element_and_reads_back() {
        let text = "</script><!-- <script> & \u{2028}\u{2029} \"quoted\" '";
        let mut html = Html::new();
        html.json("data", &[text]);
        let html = html.into_string();
        let inner = html
            .strip_prefix("<script type=\"application/json\" id=\"data\">")
            .and_then(|rest| rest.strip_suffix("</script>\n"))
            .unwrap();
        assert!(!inner.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<Vec<String>>(inner).unwrap(), [text]);
    }

    #[test]
    fn addresses_hold_any_name() {
        assert_eq!(segment("sweet_01.wav"), "sweet_01.wav");
        assert_eq!(
            segment("a b/../=\"<é#?%"),
            "a%20b%2F..%2F%3D%22%3C%C3%A9%23%3F%25"
        );
    }
}

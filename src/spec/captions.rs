//! MusicCaps: a CSV of captions, each with its list of descriptors (`google/MusicCaps`, Agostinelli et al. 2023, MusicLM).
//!
//! The list is a Python literal: `['low quality', "kid's voice"]`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use files::sha256_bytes;
use foreign::words;
use foreign::{Foreign, Words};
use hub::HubFile;
use serde::Serialize;

use super::SpecError;
use super::table::Table;
use crate::tables::TextKind;

/// Twenty times the public file.
const MAX_BYTES: u64 = 64 << 20;

/// Where the captions are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Captions {
    Path(PathBuf),
    /// A file of a hub's data set.
    Hub(HubFile),
}

/// A text to embed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub kind: TextKind,
    /// Of a caption its `ytid`, of a descriptor its number.
    pub id: String,
    pub text: String,
    /// How often it occurs.
    pub count: usize,
}

/// The first `limit` captions of a file, and then every descriptor that they have, once and in the order in which they
/// first occur.
pub fn read(path: &Path, limit: Option<usize>) -> Result<Vec<Text>, SpecError> {
    let table = Table::read(path, MAX_BYTES, &["ytid", "aspect_list", "caption"])?;
    let mut captions: Vec<Text> = Vec::new();
    let mut descriptors: Vec<Text> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut first: HashMap<&str, u64> = HashMap::new();
    for row in table.rows().take(limit.unwrap_or(usize::MAX)) {
        let (id, caption) = (row.get("ytid"), row.whole("caption"));
        if id.is_empty() || caption.trim().is_empty() {
            return Err(row.error("the ytid or the caption is empty"));
        }
        if let Some(line) = first.insert(id, row.line()) {
            let message = words!(
                "the ytid '{}' is also that of line {}",
                Foreign::new(id),
                line
            );
            return Err(row.error(message));
        }
        captions.push(Text {
            kind: TextKind::Caption,
            id: id.to_owned(),
            text: caption.to_owned(),
            count: 1,
        });
        let aspects = python_list(row.get("aspect_list"))
            .map_err(|message| row.error(words!("'aspect_list' {}", message)))?;
        for aspect in aspects
            .into_iter()
            .filter(|aspect| !aspect.trim().is_empty())
        {
            let place = *places.entry(aspect.clone()).or_insert(descriptors.len());
            match descriptors.get_mut(place) {
                Some(known) => known.count += 1,
                None => descriptors.push(Text {
                    kind: TextKind::Descriptor,
                    id: (place + 1).to_string(),
                    text: aspect,
                    count: 1,
                }),
            }
        }
    }
    if captions.is_empty() {
        return Err(SpecError::File {
            path: path.to_owned(),
            message: "it has a header and no rows".into(),
        });
    }
    captions.extend(descriptors);
    Ok(captions)
}

/// What makes a list of texts the one it is.
pub fn texts_sha256(texts: &[Text]) -> String {
    let mut all = Vec::new();
    for text in texts {
        for part in [text.kind.name(), &text.id, &text.text] {
            all.extend((part.len() as u64).to_le_bytes());
            all.extend(part.as_bytes());
        }
        all.extend((text.count as u64).to_le_bytes());
    }
    sha256_bytes(&all)
}

/// The strings of a Python list of strings, as `repr` writes it.
fn python_list(text: &str) -> Result<Vec<String>, Words> {
    let wrong = || {
        words!(
            "is '{}'; it must be a Python list of texts, such as ['slow', 'piano']",
            Foreign::new(text)
        )
    };
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or_else(wrong)?;
    let mut chars = inner.chars().peekable();
    let mut found = Vec::new();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.next() {
            None => return Ok(found),
            Some(quote @ ('\'' | '"')) => {
                found.push(python_string(&mut chars, quote).ok_or_else(wrong)?);
            }
            Some(_) => return Err(wrong()),
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.next() {
            None => return Ok(found),
            Some(',') => {}
            Some(_) => return Err(wrong()),
        }
    }
}

/// The rest of a Python string up to its closing `quote`. <https://docs.python.org/3/reference/lexical_analysis.html>
fn python_string(chars: &mut impl Iterator<Item = char>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            c if c == quote => return Some(text),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'x' => text.push(code_point(chars, 2)?),
                'u' => text.push(code_point(chars, 4)?),
                'U' => text.push(code_point(chars, 8)?),
                c @ ('\\' | '\'' | '"') => text.push(c),
                c => text.extend(['\\', c]),
            },
            c => text.push(c),
        }
    }
}

fn code_point(chars: &mut impl Iterator<Item = char>, digits: usize) -> Option<char> {
    let hex: String = chars.take(digits).collect();
    let code = (hex.len() == digits).then(|| u32::from_str_radix(&hex, 16).ok())?;
    char::from_u32(code?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_lists_are_read_as_python_reads_them() {
        // json.dumps(ast.literal_eval(...)) of Python 3.11 for each.
        for (text, expected) in [
            ("[]", vec![]),
            ("['a']", vec!["a"]),
            (
                "['low quality', \"kid's voice\"]",
                vec!["low quality", "kid's voice"],
            ),
            (
                r#"['it\'s \"so\"', 'a\\b', 'x\ny', '\xe9\u266a']"#,
                vec!["it's \"so\"", "a\\b", "x\ny", "é♪"],
            ),
            ("['a, b', ' c ',]", vec!["a, b", " c "]),
        ] {
            assert_eq!(python_list(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "",
            "['a'",
            "['a' 'b']",
            "[a]",
            "['a]",
            "[1, 2]",
            r"['\x4']",
            r"['\ud800']",
            "['a'] x",
        ] {
            assert!(python_list(bad).is_err(), "{bad}");
        }
    }

    fn read_text(text: &str, limit: Option<usize>) -> Result<Vec<Text>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, limit).map_err(|e| e.to_string().replace(&path.display().to_string(), "c.csv"))
    }

    #[test]
    fn captions_come_first_and_descriptors_once() {
        let text = "ytid,start_s,aspect_list,caption\n-x,30,\"['slow', 'piano']\",\"Two\nlines\"\n\
            y,0,\"['piano', 'sad']\",A sad song.\n";
        let texts = read_text(text, None).unwrap();
        let found: Vec<_> = texts
            .iter()
            .map(|t| (t.kind, t.id.as_str(), t.text.as_str(), t.count))
            .collect();
        let (caption, descriptor) = (TextKind::Caption, TextKind::Descriptor);
        assert_eq!(
            found,
            [
                (caption, "-x", "Two\nlines", 1),
                (caption, "y", "A sad song.", 1),
                (descriptor, "1", "slow", 1),
                (descriptor, "2", "piano", 2),
                (descriptor, "3", "sad", 1),
            ]
        );
        assert_eq!(read_text(text, Some(1)).unwrap().len(), 3);
        assert_ne!(texts_sha256(&texts), texts_sha256(&texts[..4]));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let header = "ytid,aspect_list,caption\n";
        for (rows, expected) in [
            ("", "cannot use c.csv: it has a header and no rows"),
            ("a,[],\n", "c.csv:2: the ytid or the caption is empty"),
            (
                "a,[],x\na,[],y\n",
                "c.csv:3: the ytid 'a' is also that of line 2",
            ),
            (
                "a,slow,x\n",
                "c.csv:2: 'aspect_list' is 'slow'; it must be a Python list of texts, such as ['slow', 'piano']",
            ),
        ] {
            assert_eq!(
                read_text(&format!("{header}{rows}"), None).unwrap_err(),
                expected
            );
        }
        assert!(
            read_text("id,caption\n", None)
                .unwrap_err()
                .contains("ytid,aspect_list is missing")
        );
    }
}

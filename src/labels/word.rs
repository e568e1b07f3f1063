//! What the labels of an experiment's pieces are called: `taste` and `tastes`, unless it says another word.
//!
//! The program speaks of tastes, and so do its columns and its keys; [`Word`] puts the experiment's own word in their place.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::ops::Deref;

use foreign::{Foreign, Safe, Words, words};
use serde::{Deserialize, Serialize};

/// Longest word.
const MOST_CHARS: usize = 24;

/// The columns that are about labels, as the fields of rows have them.
const COLUMNS: [&str; 5] = ["taste", "tastes", "taste_a", "taste_b", "pieces_per_taste"];

/// A word for labels. ASCII letters, digits, `_` and `-`, so that it stands in a CSV's header, a sentence and a prompt's braces as
/// it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Word {
    one: String,
    many: String,
}

/// As a manifest has it, which may be a stranger's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    one: String,
    many: String,
}

impl TryFrom<Written> for Word {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Self::new(&written.one, Some(&written.many)).map_err(|message| message.to_string())
    }
}

impl Default for Word {
    fn default() -> Self {
        Self {
            one: "taste".to_owned(),
            many: "tastes".to_owned(),
        }
    }
}

impl Word {
    /// `mood` and, if its plural has not an `s` alone, that.
    ///
    /// # Errors
    /// A sentence about a word that cannot be a column's name, or about two that would be.
    pub fn new(one: &str, many: Option<&str>) -> Result<Self, Words> {
        let word = Self {
            one: one.to_owned(),
            many: many.map_or_else(|| format!("{one}s"), str::to_owned),
        };
        for written in [&word.one, &word.many] {
            if !is_word(written) {
                return Err(words!(
                    "'{}' cannot be a word for labels, which is a column's name too: 1 to {} of the letters a to z, digits, '_' \
                     and '-', a letter first",
                    Foreign::new(written),
                    MOST_CHARS
                ));
            }
        }
        let names: Vec<String> = word.columns().map(|name| name.to_lowercase()).collect();
        let twice = |(i, name): &(usize, &String)| names[..*i].contains(name);
        match names.iter().enumerate().find(twice) {
            Some((_, name)) => Err(words!(
                "'{}' and '{}' would give two columns of the name '{}'; write the plural, such as label: {{ one: mood, many: moods }}",
                Foreign::new(&word.one),
                Foreign::new(&word.many),
                Foreign::new(name)
            )),
            None => Ok(word),
        }
    }

    /// For runs side by side that have different words.
    pub fn neutral() -> Self {
        Self {
            one: "label".to_owned(),
            many: "labels".to_owned(),
        }
    }

    /// `taste`.
    pub fn one(&self) -> &str {
        &self.one
    }

    /// `tastes`.
    pub fn many(&self) -> &str {
        &self.many
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What the column of a row's field is called: another word in `taste`, `taste_a` and the like, and any other as it is.
    pub fn column<'w>(&'w self, field: &'w str) -> Cow<'w, str> {
        match self.is_default() || !COLUMNS.contains(&field) {
            true => Cow::Borrowed(field),
            false => Cow::Owned(self.renamed(field)),
        }
    }

    /// The field whose column is called so, which is the name itself unless it is about labels; `None` of a column that would be
    /// about labels under another word.
    pub fn field<'n>(&self, column: &'n str) -> Option<&'n str> {
        let about_labels = COLUMNS.iter().find(|field| self.column(field) == column);
        match about_labels {
            Some(field) => Some(field),
            None if COLUMNS.contains(&column) => None,
            None => Some(column),
        }
    }

    /// The names of the columns that are about labels.
    pub fn columns(&self) -> impl Iterator<Item = String> {
        COLUMNS.into_iter().map(|field| self.renamed(field))
    }

    /// A sentence or a name of this program, which speaks of tastes, in this word: `the highest taste` is `the highest mood`.
    pub fn said(&self, sentence: &'static str) -> Said {
        Said(match self.is_default() {
            true => Cow::Borrowed(sentence),
            false => Cow::Owned(self.renamed(sentence)),
        })
    }

    fn renamed(&self, sentence: &str) -> String {
        const TASTE: &str = "taste";
        let mut text = String::with_capacity(sentence.len());
        let mut rest = sentence;
        while let Some(at) = rest.to_ascii_lowercase().find(TASTE) {
            let (before, found) = rest.split_at(at);
            text.push_str(before);
            let (found, after) = found.split_at(TASTE.len());
            let (word, after) = match after.strip_prefix('s') {
                Some(after) => (&self.many, after),
                None => (&self.one, after),
            };
            let vowel = word.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']);
            if vowel && (text == "a " || text.ends_with(" a ")) {
                text.insert(text.len() - 1, 'n');
            }
            match found.starts_with('T') {
                true => {
                    text.push(word.chars().next().unwrap_or_default().to_ascii_uppercase());
                    text.extend(word.chars().skip(1));
                }
                false => text.push_str(word),
            }
            rest = after;
        }
        text + rest
    }
}

fn is_word(word: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.len() <= MOST_CHARS
        && word.chars().all(good)
}

/// Our own words with the word for labels among them, see [`Word::said`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(Cow<'static, str>);

/// It holds a literal and a checked word.
impl Safe for Said {}

impl Deref for Said {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Said> for Words {
    fn from(said: Said) -> Self {
        words!("{}", said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_and_columns_take_the_word() {
        let mood = Word::new("mood", None).unwrap();
        assert_eq!(
            &*mood.said("Tastes by taste, first 20 a taste"),
            "Moods by mood, first 20 a mood"
        );
        let emotion = Word::new("emotion", Some("feelings")).unwrap();
        assert_eq!(
            &*emotion.said("a taste or the tastes"),
            "an emotion or the feelings"
        );
        assert_eq!(&*Word::default().said("a taste"), "a taste");
        // The word itself is not taken for the one that it replaces.
        let after = Word::new("aftertaste", None).unwrap();
        assert_eq!(&*after.said("{taste} tastes"), "{aftertaste} aftertastes");
        let columns = ["taste", "tastes", "taste_a", "pieces_per_taste", "id"];
        assert_eq!(
            columns.map(|field| mood.column(field).into_owned()),
            ["mood", "moods", "mood_a", "pieces_per_mood", "id"]
        );
        for field in columns {
            assert_eq!(mood.field(&mood.column(field)), Some(field));
        }
        assert_eq!(
            (mood.field("taste"), mood.field("arm")),
            (None, Some("arm"))
        );
    }

    #[test]
    fn a_word_is_plain_and_its_columns_differ() {
        let long = "x".repeat(25);
        for bad in [
            "",
            " mood",
            "two words",
            "1st",
            "_x",
            "mo,od",
            "Gefühl",
            "a\u{1b}b",
            &long,
        ] {
            let told = Word::new(bad, None).unwrap_err().to_string();
            assert!(
                told.contains("cannot be a word for labels"),
                "{bad}: {told}"
            );
        }
        for many in ["mood", "Mood", "mood_a", "pieces_per_mood"] {
            let told = Word::new("mood", Some(many)).unwrap_err().to_string();
            assert!(told.contains("two columns"), "{many}: {told}");
        }
        let read = |text: &str| serde_json::from_str::<Word>(text);
        assert_eq!(
            read(r#"{"one":"mood","many":"moods"}"#).unwrap(),
            Word::new("mood", None).unwrap()
        );
        assert!(read(r#"{"one":"<b>","many":"moods"}"#).is_err());
    }
}

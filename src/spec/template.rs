//! A prompt with places for a piece's own words: `{taste} music, ambient for fine restaurant`; `{mood}` where labels are moods.

use foreign::words;
use foreign::{Foreign, Words, hint};

use crate::labels::Word;

/// A checked template. `{{` and `}}` stand for braces.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Words(String),
    Taste,
    Id,
}

impl Template {
    /// Parse the text of `key`, which calls labels by `word`. The error is a sentence about it.
    pub fn parse(key: &str, text: &str, word: &Word) -> Result<Self, Words> {
        if text.trim().is_empty() {
            return Err(words!(
                "'{}' is empty; it is the prompt of every piece",
                Foreign::new(key)
            ));
        }
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' if rest.peek() == Some(&c) => {
                    rest.next();
                    words.push(c);
                }
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some(c) if c != '{' => name.push(c),
                            _ => {
                                return Err(words!(
                                    "'{}' has a '{{' without its '}}'; write {{{{ for a brace",
                                    Foreign::new(key)
                                ));
                            }
                        }
                    }
                    parts.push(Part::Words(std::mem::take(&mut words)));
                    parts.push(match name.as_str() {
                        name if name == word.one() => Part::Taste,
                        "id" => Part::Id,
                        "taste" => {
                            return Err(words!(
                                "'{}' has {{taste}}; with label: {} write {{{}}}",
                                Foreign::new(key),
                                Foreign::new(word.one()),
                                Foreign::new(word.one())
                            ));
                        }
                        _ => {
                            let hint = hint(&name, &[word.one(), "id"]);
                            return Err(words!(
                                "'{}' has the unknown place '{{{}}}'{}",
                                Foreign::new(key),
                                Foreign::new(&name),
                                hint
                            ));
                        }
                    });
                }
                '}' => {
                    return Err(words!(
                        "'{}' has a '}}' without its '{{'; write }}}} for a brace",
                        Foreign::new(key)
                    ));
                }
                c => words.push(c),
            }
        }
        parts.push(Part::Words(words));
        Ok(Template(parts))
    }

    pub fn uses_taste(&self) -> bool {
        self.0.contains(&Part::Taste)
    }

    /// The prompt of one piece.
    pub fn fill(&self, id: &str, taste: Option<&str>) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Words(words) => words.as_str(),
                Part::Taste => taste.unwrap_or_default(),
                Part::Id => id,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_braces_kept() {
        let template = Template::parse(
            "audio.text",
            "{taste} music {{x}} of {id}",
            &Word::default(),
        )
        .unwrap();
        assert!(template.uses_taste());
        assert_eq!(
            template.fill("sweet_01", Some("sweet")),
            "sweet music {x} of sweet_01"
        );
    }

    #[test]
    fn what_is_no_place_is_an_error() {
        let error = |text: &str| {
            let parsed = Template::parse("audio.text", text, &Word::default());
            parsed.unwrap_err().to_string()
        };
        assert_eq!(
            error("{tast} music"),
            "'audio.text' has the unknown place '{tast}'; did you mean 'taste'? (valid here: taste, id)"
        );
        assert!(error("{taste music").contains("'{' without its '}'"));
        assert!(error("taste} music").contains("'}' without its '{'"));
        assert!(error("  ").contains("empty"));
    }

    #[test]
    fn labels_stand_in_braces_under_their_word() {
        let mood = Word::new("mood", None).unwrap();
        let template = Template::parse("text", "{mood} music", &mood).unwrap();
        assert_eq!(template.fill("1", Some("calm")), "calm music");
        let error = |text: &str| {
            Template::parse("text", text, &mood)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error("{taste}"),
            "'text' has {taste}; with label: mood write {mood}"
        );
        assert!(error("{moo}").ends_with("did you mean 'mood'? (valid here: mood, id)"));
    }
}

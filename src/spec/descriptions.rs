//! A file of described pieces: the JSON list of `{id, instrument, description}` of `matteospanio/taste-music-dataset`.
//!
//! Taste is no field there. It is read from the description, where the order of the tastes is that of their dominance:
//! "A bitter-sweet dreamy piano piece." is bitter first and sweet second.

use std::collections::HashMap;
use std::path::Path;

use files::text;
use foreign::words;
use foreign::{Foreign, Words};
use serde::{Deserialize, Deserializer, de};

use super::generation::{check_count, piece};
use super::pieces::check_file_id;
use super::template::Template;
use super::{Origin, Piece, SpecError};
use crate::labels::Labels;

/// A thousand times the file of that repository.
pub const MAX_BYTES: u64 = 16 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    #[serde(deserialize_with = "id")]
    id: String,
    instrument: String,
    description: String,
}

/// An integer or a text.
fn id<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    struct Id;
    impl de::Visitor<'_> for Id {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("`id` to be a whole number or a text")
        }

        fn visit_u64<E>(self, id: u64) -> Result<String, E> {
            Ok(id.to_string())
        }

        fn visit_i64<E>(self, id: i64) -> Result<String, E> {
            Ok(id.to_string())
        }

        fn visit_str<E>(self, id: &str) -> Result<String, E> {
            Ok(id.to_owned())
        }
    }
    d.deserialize_any(Id)
}

/// The pieces of every description, each in `draws` draws, in the order of the file. The first of `tastes` that a
/// description names is its taste; one that names none has none.
///
/// With `rewrite` the prompt is made from it, and not the description itself.
pub fn read(
    path: &Path,
    tastes: &Labels,
    draws: usize,
    rewrite: Option<&Template>,
) -> Result<Vec<Piece>, SpecError> {
    let items = items(path)?;
    let mut first: HashMap<String, usize> = HashMap::with_capacity(items.len());
    check_count(items.len(), draws).map_err(|message| SpecError::File {
        path: path.to_owned(),
        message,
    })?;
    let mut pieces = Vec::with_capacity(items.len() * draws);
    for (number, item) in (1..).zip(items) {
        let wrong = |message: Words| SpecError::Item {
            path: path.to_owned(),
            item: number,
            message,
        };
        check_file_id(&item.id).map_err(wrong)?;
        if let Some(other) = first.insert(item.id.to_lowercase(), number) {
            let message = words!(
                "the id '{}' is also that of item {}, or differs by its case alone; it names a file, so give each \
                 its own",
                Foreign::new(&item.id),
                other
            );
            return Err(wrong(message));
        }
        let named = named(&item.description, &tastes.order);
        let prompt = match rewrite {
            Some(rewrite) if rewrite.uses_taste() && named.is_empty() => {
                let message = "the description names none of the tastes, and 'prompts.rewrite' has {taste} in it";
                return Err(wrong(tastes.word.said(message).into()));
            }
            Some(rewrite) => rewrite.fill(&item.id, named.first().map(String::as_str)),
            None => item.description.clone(),
        };
        for draw in 1..=draws {
            let origin = Origin {
                prompt_id: item.id.clone(),
                draw,
                instrument: Some(item.instrument.clone()),
                tastes: named.clone(),
            };
            pieces.push(piece(origin, draws, &prompt, named.first()));
        }
    }
    Ok(pieces)
}

fn items(path: &Path) -> Result<Vec<Item>, SpecError> {
    let text = text::read(path, MAX_BYTES)?;
    let whole = |message: Words| SpecError::File {
        path: path.to_owned(),
        message,
    };
    let expected = "a JSON list of {\"id\", \"instrument\", \"description\"} is expected";
    if text.trim().is_empty() {
        return Err(whole(words!("it is empty; {}", expected)));
    }
    let items: Vec<Item> = serde_json::from_str(&text).map_err(|e| {
        let message = e.to_string();
        let message = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(message, _)| message);
        SpecError::Line {
            path: path.to_owned(),
            line: e.line() as u64,
            message: words!("{}; {}", Foreign::said(message), expected),
        }
    })?;
    match items.is_empty() {
        true => Err(whole(words!("its list is empty; {}", expected))),
        false => Ok(items),
    }
}

/// Each of `tastes` that stands in the text as a word, whatever its case, in the order in which the text names them.
fn named(text: &str, tastes: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let word = word.to_lowercase();
        let taste = tastes.iter().find(|taste| taste.to_lowercase() == word);
        if let Some(taste) = taste
            && !found.contains(taste)
        {
            found.push(taste.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tastes() -> Vec<String> {
        ["sweet", "bitter", "sour", "salty"]
            .map(str::to_owned)
            .to_vec()
    }

    fn read_text(text: &str, draws: usize) -> Result<Vec<Piece>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.json");
        std::fs::write(&path, text).unwrap();
        let labels = Labels {
            order: tastes(),
            ..Labels::default()
        };
        read(&path, &labels, draws, None)
            .map_err(|e| e.to_string().replace(&path.display().to_string(), "d.json"))
    }

    #[test]
    fn the_order_of_the_tastes_in_a_text_is_that_of_their_dominance() {
        for (text, expected) in [
            (
                "A bitter-sweet dreamy piano piece.",
                &["bitter", "sweet"][..],
            ),
            ("A Bitter piece, a little salty.", &["bitter", "salty"]),
            ("Sour, sour, sweet/salty", &["sour", "sweet", "salty"]),
            ("Sweetness of bittersweet unsalty things", &[]),
        ] {
            assert_eq!(named(text, &tastes()), expected, "{text}");
        }
    }

    #[test]
    fn ids_are_numbers_or_texts_and_name_the_draws() {
        let text = r#"[{"id": 7, "instrument": "piano", "description": "A sour-salty tune"},
            {"description": "plain", "id": "b c", "instrument": ""}]"#;
        let pieces = read_text(text, 2).unwrap();
        let ids: Vec<&str> = pieces.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["7_01", "7_02", "b c_01", "b c_02"]);
        assert_eq!(pieces[1].path, Path::new("audio/7_02.wav"));
        assert_eq!(pieces[0].taste.as_deref(), Some("sour"));
        assert_eq!(pieces[2].taste, None);
        let origin = pieces[1].origin.as_ref().unwrap();
        assert_eq!((origin.prompt_id.as_str(), origin.draw), ("7", 2));
        assert_eq!(origin.tastes, ["sour", "salty"]);
        assert_eq!(read_text(text, 1).unwrap()[0].id, "7");
    }

    #[test]
    fn a_bad_file_is_named_with_its_place() {
        let item = |id: &str| format!(r#"{{"id": {id}, "instrument": "x", "description": "y"}}"#);
        let list = |ids: &[&str]| {
            let items: Vec<String> = ids.iter().map(|id| item(id)).collect();
            format!("[\n{}\n]", items.join(",\n"))
        };
        let expected = "a JSON list of {\"id\", \"instrument\", \"description\"} is expected";
        for (text, message) in [
            (String::new(), format!("cannot use d.json: it is empty; {expected}")),
            ("[]".into(), format!("cannot use d.json: its list is empty; {expected}")),
            ("[\n{\"id\": 1,\n".into(), format!("d.json:3: EOF while parsing a value; {expected}")),
            (
                "{\"id\": 1}".into(),
                format!("d.json:1: invalid type: map, expected a sequence; {expected}"),
            ),
            (
                "[\n{\"id\": 1, \"instrument\": \"x\"}]".into(),
                format!("d.json:2: missing field `description`; {expected}"),
            ),
            (
                format!("[{}]", item("1").replace('}', ", \"taste\": \"sweet\"}")),
                format!(
                    "d.json:1: unknown field `taste`, expected one of `id`, `instrument`, `description`; {expected}"
                ),
            ),
            (
                list(&["1", "2.5"]),
                format!(
                    "d.json:3: invalid type: floating point `2.5`, expected `id` to be a whole number or a text; {expected}"
                ),
            ),
            (
                list(&["1", "\"../../x\""]),
                "d.json, item 2: the id '../../x' must be 1 to 200 bytes without '/', '\\' and control characters, no \
                 '.' first"
                    .into(),
            ),
            (
                list(&["\"a/b\""]),
                "d.json, item 1: the id 'a/b' must be 1 to 200 bytes without '/', '\\' and control characters, no '.' \
                 first"
                    .into(),
            ),
            (
                list(&["1", "\"1\""]),
                "d.json, item 2: the id '1' is also that of item 1, or differs by its case alone; it names a file, so \
                 give each its own"
                    .into(),
            ),
            (
                list(&["\"Ä\"", "\"ä\""]),
                "d.json, item 2: the id 'ä' is also that of item 1, or differs by its case alone; it names a file, so \
                 give each its own"
                    .into(),
            ),
        ] {
            assert_eq!(read_text(&text, 1).unwrap_err(), message);
        }
    }
}

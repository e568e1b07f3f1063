//! Sets of pieces for the same items, put together.

use std::collections::{HashMap, HashSet};

use foreign::words;
use foreign::{Foreign, Words};

use crate::labels::Word;
use crate::spec::Piece;
use crate::spec::template::Template;

/// The pieces of all sets, each under the name of its set, set after set and in the order of the first.
///
/// Every set must have the same ids; with a `limit`, the first so many of the first set count. The taste of an item is that of its piece in the first set that has one. With a
/// `text` the pieces are scored against it instead of their own prompts.
///
/// # Errors
/// A sentence about what does not fit.
pub(super) fn combine(
    sets: Vec<(String, Vec<Piece>)>,
    text: Option<&Template>,
    limit: Option<usize>,
    word: &Word,
) -> Result<Vec<Piece>, Words> {
    let mut tastes: HashMap<String, String> = HashMap::new();
    for piece in sets.iter().flat_map(|(_, pieces)| pieces) {
        let Some(taste) = &piece.taste else { continue };
        let known = tastes
            .entry(piece.id.clone())
            .or_insert_with(|| taste.clone());
        if known != taste {
            return Err(words!(
                "the item '{}' is {} in one set and {} in another; the sets must be about the same items",
                Foreign::new(&piece.id),
                Foreign::new(known),
                Foreign::new(taste)
            ));
        }
    }
    let Some((first, pieces)) = sets.first() else {
        return Ok(Vec::new());
    };
    let order = pieces.iter().map(|piece| piece.id.clone());
    let order: Vec<String> = order.take(limit.unwrap_or(usize::MAX)).collect();
    let ids: HashSet<&str> = order.iter().map(String::as_str).collect();
    for (set, pieces) in sets.iter().skip(1) {
        let theirs: HashSet<&str> = pieces.iter().map(|piece| piece.id.as_str()).collect();
        let missing = lacking(order.iter().map(String::as_str), &theirs);
        let extra = lacking(pieces.iter().map(|piece| piece.id.as_str()), &ids);
        if let Some(missing) = missing {
            return Err(unpaired(set, first, missing));
        }
        if let (Some(extra), None) = (extra, limit) {
            return Err(unpaired(first, set, extra));
        }
    }
    let mut all = Vec::with_capacity(order.len() * sets.len());
    for (set, pieces) in sets {
        let mut by_id: HashMap<String, Piece> = pieces
            .into_iter()
            .map(|piece| (piece.id.clone(), piece))
            .collect();
        for id in &order {
            let Some(mut piece) = by_id.remove(id) else {
                continue;
            };
            piece.set = Some(set.clone());
            piece.taste = tastes.get(id).cloned();
            if let Some(text) = text {
                if text.uses_taste() && piece.taste.is_none() {
                    return Err(words!(
                        "the item '{}' {}",
                        Foreign::new(id),
                        word.said(
                            "has no taste, and the text that it is scored against has {taste} in it"
                        )
                    ));
                }
                let prompt = text.fill(id, piece.taste.as_deref());
                let own = std::mem::replace(&mut piece.prompt, prompt);
                // A piece of a folder has no prompt but this text.
                piece.own_prompt = Some(own).filter(|own| *own != piece.prompt);
            }
            all.push(piece);
        }
    }
    Ok(all)
}

/// The most ids that a message names.
const TOLD: usize = 5;

/// The ids that `known` lacks, in words; the first few of them.
fn lacking<'a>(ids: impl Iterator<Item = &'a str>, known: &HashSet<&str>) -> Option<Words> {
    let lacking: Vec<&str> = ids.filter(|id| !known.contains(id)).collect();
    let first = Words::join(lacking.iter().take(TOLD).map(Foreign::new), ", ");
    match lacking.len() {
        0 => None,
        n if n > TOLD => Some(words!("{} and {} more", first, n - TOLD)),
        _ => Some(first),
    }
}

fn unpaired(without: &str, with: &str, ids: Words) -> Words {
    words!(
        "the set '{}' has no piece for {}, which '{}' has; both need a piece for each item, called by the same id",
        Foreign::new(without),
        ids,
        Foreign::new(with)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combined_of(
        sets: Vec<(String, Vec<Piece>)>,
        text: Option<&Template>,
        limit: Option<usize>,
    ) -> Result<Vec<Piece>, Words> {
        combine(sets, text, limit, &Word::default())
    }

    fn parse(text: &str) -> Result<Template, Words> {
        Template::parse("text", text, &Word::default())
    }

    fn sets(a: Vec<Piece>, b: Vec<Piece>) -> Vec<(String, Vec<Piece>)> {
        vec![("a".to_owned(), a), ("b".to_owned(), b)]
    }

    fn piece(id: &str, taste: Option<&str>) -> Piece {
        Piece {
            id: id.into(),
            path: format!("{id}.wav").into(),
            prompt: format!("a piece called {id}"),
            taste: taste.map(str::to_owned),
            origin: None,
            set: None,
            own_prompt: None,
        }
    }

    #[test]
    fn items_are_paired_by_id_and_share_their_taste() {
        let first = vec![piece("1", Some("sweet")), piece("2", Some("sour"))];
        let second = vec![piece("2", None), piece("1", Some("sweet"))];
        let text = parse("{taste} music").unwrap();
        let all = combined_of(sets(first.clone(), second.clone()), Some(&text), None).unwrap();
        let keys: Vec<_> = all.iter().map(|p| p.key().into_owned()).collect();
        assert_eq!(keys, ["a/1", "a/2", "b/1", "b/2"]);
        assert_eq!(all[3].taste.as_deref(), Some("sour"));
        assert_eq!(all[3].prompt, "sour music");
        assert_eq!(all[3].own_prompt.as_deref(), Some("a piece called 2"));

        let own = combined_of(sets(first.clone(), first.clone()), None, None).unwrap();
        let one = combined_of(sets(first, second), None, Some(1)).unwrap();
        assert_eq!(
            one.iter().map(|p| p.key().into_owned()).collect::<Vec<_>>(),
            ["a/1", "b/1"]
        );
        assert_eq!(
            (own[0].prompt.as_str(), &own[0].own_prompt),
            ("a piece called 1", &None)
        );
    }

    #[test]
    fn sets_about_other_items_are_refused() {
        let error = |a: Vec<Piece>, b: Vec<Piece>| {
            let combined = combined_of(sets(a, b), None, None);
            combined.unwrap_err().to_string()
        };
        assert_eq!(
            error(
                vec![piece("1", None), piece("2", None)],
                vec![piece("2", None)]
            ),
            "the set 'b' has no piece for 1, which 'a' has; both need a piece for each item, called by the same id"
        );
        let many = (0..9).map(|i| piece(&i.to_string(), None)).collect();
        assert!(
            error(vec![piece("0", None)], many).starts_with(
                "the set 'a' has no piece for 1, 2, 3, 4, 5 and 3 more, which 'b' has"
            )
        );
        assert!(
            error(
                vec![piece("1", Some("sweet"))],
                vec![piece("1", Some("sour"))]
            )
            .starts_with("the item '1' is sweet in one set and sour in another")
        );
        let text = parse("{taste}").unwrap();
        let untasted = sets(vec![piece("1", None)], vec![piece("1", None)]);
        assert!(
            combined_of(untasted, Some(&text), None)
                .unwrap_err()
                .to_string()
                .contains("has no taste")
        );
    }
}

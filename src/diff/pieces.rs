//! Pieces that both runs made: whether they are the same files.

use std::collections::HashMap;

use serde_json::Value;

/// Pieces made by both runs, compared by the hashes of their files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PiecesMade {
    /// Ids whose files are the same.
    pub same: usize,
    /// Ids whose files differ, in the order of A.
    pub other: Vec<String>,
    pub only_in_a: usize,
    pub only_in_b: usize,
}

/// `None` when one of the runs made none.
pub(super) fn made(a: &Value, b: &Value) -> Option<PiecesMade> {
    let (a, b) = (hashes(a)?, hashes(b)?);
    let in_b: HashMap<&str, &str> = b.iter().copied().collect();
    let mut found = PiecesMade::default();
    for (id, hash) in &a {
        match in_b.get(id) {
            Some(other) if other == hash => found.same += 1,
            Some(_) => found.other.push((*id).to_owned()),
            None => found.only_in_a += 1,
        }
    }
    found.only_in_b = b.len().saturating_sub(found.same + found.other.len());
    Some(found)
}

/// Id and hash of each piece.
fn hashes(manifest: &Value) -> Option<Vec<(&str, &str)>> {
    let pieces = manifest.pointer("/generation/pieces")?.as_array()?;
    let pair = |piece| Some((string(piece, "id")?, string(piece, "sha256")?));
    Some(pieces.iter().filter_map(pair).collect())
}

fn string<'a>(piece: &'a Value, key: &str) -> Option<&'a str> {
    piece.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_counted_by_what_became_of_them() {
        let run = |pieces: Value| json!({ "generation": { "pieces": pieces } });
        let a = run(json!([
            { "id": "1", "sha256": "a" }, { "id": "2", "sha256": "b" }, { "id": "3", "sha256": "c" }, 7,
        ]));
        let b = run(json!([
            { "id": "2", "sha256": "x" }, { "id": "1", "sha256": "a" }, { "id": "4", "sha256": "d" },
        ]));
        let expected = PiecesMade {
            same: 1,
            other: vec!["2".into()],
            only_in_a: 1,
            only_in_b: 1,
        };
        assert_eq!(made(&a, &b), Some(expected));
        assert_eq!(made(&a, &json!({})), None);
    }
}

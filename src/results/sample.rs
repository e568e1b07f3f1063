//! The pieces that stand for all of a large run, where every one would be too many.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::spec::Piece;

/// Rows beyond which a run is large: its embeddings go to arrays alone, since a CSV of them would take more than half a
/// gigabyte, and its figures, maps and clusters are of a sample.
const MOST_ROWS: usize = 20_000;
/// Pieces of a sample; of several sets, items.
pub const SAMPLE: usize = 1_000;

/// Whether a run of so many pieces under so many arms is large.
pub fn is_large(pieces: usize, arms: usize) -> bool {
    pieces.saturating_mul(arms) > MOST_ROWS
}

/// The ids of the sample: those with the smallest hashes of the seed and the id, so that neither their order nor other
/// pieces decide.
pub fn sample(pieces: &[Piece], seed: u64) -> HashSet<&str> {
    let ids: HashSet<&str> = pieces.iter().map(|piece| piece.id.as_str()).collect();
    // U+001F keeps (1, "1") and (11, "") apart.
    let hash = |id: &str| Sha256::digest(format!("sample\u{1f}{seed}\u{1f}{id}"));
    let mut hashed: Vec<_> = ids.into_iter().map(|id| (hash(id), id)).collect();
    hashed.sort_unstable();
    hashed.into_iter().take(SAMPLE).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(ids: impl Iterator<Item = usize>) -> Vec<Piece> {
        let piece = |id: usize| Piece {
            id: id.to_string(),
            path: "x.wav".into(),
            prompt: "x".into(),
            taste: None,
            origin: None,
            set: None,
            own_prompt: None,
        };
        ids.map(piece).collect()
    }

    #[test]
    fn a_sample_is_of_the_whole_run_and_no_order_changes_it() {
        let all = pieces(0..30_000);
        let found = sample(&all, 0);
        assert_eq!(found.len(), SAMPLE);
        let reversed = pieces((0..30_000).rev());
        assert_eq!(sample(&reversed, 0), found);
        assert_ne!(sample(&all, 1), found);
        let mean = found
            .iter()
            .map(|id| id.parse::<f64>().unwrap())
            .sum::<f64>()
            / SAMPLE as f64;
        assert!((mean - 15_000.0).abs() < 1_000.0, "{mean}");
        let few = pieces(0..5);
        assert_eq!(sample(&few, 0).len(), 5);
    }
}

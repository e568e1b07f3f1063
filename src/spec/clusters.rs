//! What is computed of how far the tastes lie apart: subsets and permutation tests.

use foreign::words;
use serde::Serialize;
use strict_yaml::{Document, YamlError};

use crate::labels::Word;

/// Beyond these a number was mistyped.
const MOST_PERMUTATIONS: u64 = 1_000_000;

/// What is computed of clusters and distances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clusters {
    /// Subsets that are looked at beside all pieces: the first so many of each taste.
    pub pieces_per_taste: Vec<usize>,
    /// Of each permutation test; at least 1.
    pub permutations: usize,
}

/// What every experiment computes that does not say.
impl Default for Clusters {
    fn default() -> Self {
        Self {
            pieces_per_taste: Vec::new(),
            permutations: 10_000,
        }
    }
}

/// Of a file that does not say.
pub(crate) fn permutations() -> u64 {
    Clusters::default().permutations as u64
}

/// The subsets and the permutations of tests.
pub fn resolve(
    document: &Document,
    pieces_per_taste: &[u64],
    permutations: u64,
    word: &Word,
) -> Result<Clusters, YamlError> {
    if !(100..=MOST_PERMUTATIONS).contains(&permutations) {
        let message = words!("'permutations' must be from 100 to {}", MOST_PERMUTATIONS);
        return Err(document.invalid("permutations", message));
    }
    if let Some(i) = pieces_per_taste.iter().position(|n| *n < 2) {
        let message = word.said("'pieces_per_taste' needs 2 or more: one piece has no neighbour");
        return Err(document.invalid(&format!("pieces_per_taste.{i}"), message));
    }
    let mut sizes: Vec<usize> = pieces_per_taste
        .iter()
        .map(|n| usize::try_from(*n).unwrap_or(usize::MAX))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    Ok(Clusters {
        pieces_per_taste: sizes,
        permutations: permutations as usize,
    })
}

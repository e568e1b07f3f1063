//! Random streams keyed by what they are for, so that neither order, batch nor resume changes a draw.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// The stream of `purpose` for `item` of `experiment` under `seed`.
///
/// The key is the sha256 of the four, each with its length before it; ChaCha20's output is fixed for ever.
pub fn stream(seed: u64, experiment: &str, item: &str, purpose: &str) -> ChaCha20Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for part in [experiment, item, purpose] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    ChaCha20Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn first(seed: u64, experiment: &str, item: &str, purpose: &str) -> u64 {
        stream(seed, experiment, item, purpose).next_u64()
    }

    #[test]
    fn every_part_of_the_key_counts_and_nothing_else() {
        let base = first(1, "weights", "bitter_01", "crops");
        assert_eq!(base, first(1, "weights", "bitter_01", "crops"));
        assert_ne!(base, first(2, "weights", "bitter_01", "crops"));
        assert_ne!(base, first(1, "weightsb", "itter_01", "crops"));
        assert_ne!(base, first(1, "weights", "bitter_02", "crops"));
        assert_ne!(base, first(1, "weights", "bitter_01", "sampling"));
    }

    /// Computed with another implementation of ChaCha20 (Python's `cryptography`, nonce 0).
    #[test]
    fn the_stream_is_the_same_for_ever() {
        let expected = 13_057_049_574_430_683_008;
        assert_eq!(first(0, "weights", "bitter_01", "crops"), expected);
    }
}

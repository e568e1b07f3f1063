//! Random draws of the statistics: one stream for each thing that is drawn for, so that no result depends on which others
//! are computed, in which order, or on how many threads.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// The ChaCha20 stream keyed by (`seed`, `label`).
pub(super) fn stream(seed: u64, label: &str) -> ChaCha20Rng {
    let key = Sha256::new()
        .chain_update(b"harness bootstrap\0")
        .chain_update(seed.to_le_bytes())
        .chain_update(label.as_bytes())
        .finalize();
    ChaCha20Rng::from_seed(key.into())
}

/// Part `part` of the stream of `parts`: draws that are made side by side have one each.
pub(super) fn part(parts: &ChaCha20Rng, part: usize) -> ChaCha20Rng {
    let mut own = parts.clone();
    own.set_stream(part as u64);
    own
}

/// A uniform integer in `0..n`, without bias: Lemire, Fast random integer generation in an interval (2019).
///
/// Written out so that the draws stay the same whatever a library does in its next version.
pub(super) fn below(stream: &mut impl Rng, n: u32) -> u32 {
    let rejected = n.wrapping_neg() % n;
    loop {
        let product = u64::from(stream.next_u32()) * u64::from(n);
        if product as u32 >= rejected {
            return (product >> 32) as u32;
        }
    }
}

/// Put `items` (at most 2^32 - 1) into a random order, each as likely: Fisher and Yates, from the end.
pub(super) fn shuffle<T>(stream: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(stream, last as u32 + 1) as usize);
    }
}

/// A standard normal value: Box and Muller, A note on the generation of random normal deviates (1958).
pub(super) fn normal(stream: &mut impl Rng) -> f64 {
    // In (0, 1]: the logarithm is finite.
    let unit = |bits: u64| ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let radius = (-2.0 * unit(stream.next_u64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(stream.next_u64())).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_as_likely() {
        let mut stream = stream(0, "uniform");
        let mut counts = [0_i32; 6];
        for _ in 0..60_000 {
            counts[below(&mut stream, 6) as usize] += 1;
        }
        // The standard deviation of a count is 91.
        assert!(
            counts.iter().all(|c| (c - 10_000).abs() < 400),
            "{counts:?}"
        );
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut stream = stream(0, "orders");
        let mut counts = std::collections::HashMap::new();
        for _ in 0..60_000 {
            let mut items = [0, 1, 2];
            shuffle(&mut stream, &mut items);
            *counts.entry(items).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|c| (c - 10_000).abs() < 400),
            "{counts:?}"
        );
    }

    #[test]
    fn normal_values_have_mean_0_and_variance_1() {
        let mut stream = stream(0, "normal");
        let values: Vec<f64> = (0..40_000).map(|_| normal(&mut stream)).collect();
        let mean = values.iter().sum::<f64>() / 40_000.0;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03);
    }
}

//! Bootstrap interval of a mean.
//!
//! B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: the percentile interval.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::summary::quantile;

/// Resamples drawn for one interval.
pub const RESAMPLES: usize = 10_000;

/// The 95 % percentile interval of the mean of `values`, `(low, high)`, in the unit of `values`.
///
/// The resamples come from a ChaCha20 stream keyed by (`seed`, `label`), so one interval does not depend on which
/// others are computed, nor in which order. `None` for fewer than two values: one piece says nothing about spread.
pub fn mean_interval(values: &[f64], seed: u64, label: &str) -> Option<(f64, f64)> {
    let n = u32::try_from(values.len()).ok().filter(|&n| n >= 2)?;
    let mut stream = stream(seed, label);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..n).map(|_| values[below(&mut stream, n) as usize]).sum();
            sum / f64::from(n)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    Some((quantile(&means, 0.025)?, quantile(&means, 0.975)?))
}

fn stream(seed: u64, label: &str) -> ChaCha20Rng {
    let key = Sha256::new()
        .chain_update(b"harness bootstrap\0")
        .chain_update(seed.to_le_bytes())
        .chain_update(label.as_bytes())
        .finalize();
    ChaCha20Rng::from_seed(key.into())
}

/// A uniform integer in `0..n`, without bias: Lemire, Fast random integer generation in an interval (2019).
///
/// Written out so that the draws stay the same whatever a library does in its next version.
fn below(stream: &mut impl Rng, n: u32) -> u32 {
    let rejected = n.wrapping_neg() % n;
    loop {
        let product = u64::from(stream.next_u32()) * u64::from(n);
        if product as u32 >= rejected {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_depends_on_seed_and_label_only() {
        let values = [0.1, 0.4, -0.2, 0.3, 0.25, -0.05];
        let first = mean_interval(&values, 7, "bitter").unwrap();
        assert_eq!(mean_interval(&values, 7, "bitter").unwrap(), first);
        assert_ne!(mean_interval(&values, 8, "bitter").unwrap(), first);
        assert_ne!(mean_interval(&values, 7, "sweet").unwrap(), first);
    }

    #[test]
    fn one_value_has_no_interval_and_equal_values_one_of_no_width() {
        assert_eq!(mean_interval(&[], 0, "x"), None);
        assert_eq!(mean_interval(&[0.5], 0, "x"), None);
        assert_eq!(mean_interval(&[0.5; 4], 0, "x"), Some((0.5, 0.5)));
    }

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
}

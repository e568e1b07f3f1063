//! Bootstrap intervals of a mean, of a difference of means, and of any other statistic of numbers.
//!
//! All are the 95 % BCa interval of [`bca_interval`], from [`RESAMPLES`] resamples of a ChaCha20 stream keyed by (`seed`,
//! `label`): one interval does not depend on which others are computed, nor in which order. That of the mean of many values is
//! computed without resamples: see [`mean_interval`].

use rand_chacha::ChaCha20Rng;

pub use super::bca::{RESAMPLES, bca_interval};
use super::mean::mean;
use super::streams::{below, stream};

/// The interval of the mean of `values`, `(low, high)`, in the unit of `values`.
///
/// `None` for fewer than two values: one piece says nothing about spread. Equal values have an interval of no width. With
/// two values the interval is at most their range.
///
/// Beyond [`MOST_RESAMPLED`] values nothing is drawn: the interval is what BCa comes to, to an order below what the draws of
/// resamples would add of chance.
pub fn mean_interval(values: &[f64], seed: u64, label: &str) -> Option<(f64, f64)> {
    match values.len() > MOST_RESAMPLED {
        true => expanded_interval(values),
        false => resampled_interval(values, seed, label),
    }
}

/// Values beyond which the interval of their mean is computed without resamples: ten thousand of a million values would take
/// a minute.
pub const MOST_RESAMPLED: usize = 5_000;

/// The first two terms of the expansion of the BCa interval of a mean: mean + sd / √n · (z + γ (2 z² + 1) / (6 √n)), where γ
/// is the skewness (P. Hall, Theoretical comparison of bootstrap confidence intervals, 1988).
fn expanded_interval(values: &[f64]) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    let (mean, n) = (mean(values)?, values.len() as f64);
    let moment = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / n;
    let sd = moment(2).sqrt();
    if sd == 0.0 {
        return Some((mean, mean));
    }
    let skewness = moment(3) / sd.powi(3);
    let end = |z: f64| {
        let correction = skewness * (2.0 * z * z + 1.0) / (6.0 * n.sqrt());
        mean + sd / n.sqrt() * (z + correction)
    };
    Some((end(-Z), end(Z)))
}

fn resampled_interval(values: &[f64], seed: u64, label: &str) -> Option<(f64, f64)> {
    let n = several(values)?;
    let mut stream = stream(seed, label);
    let means = (0..RESAMPLES).map(|_| resampled_mean(&mut stream, values, n));
    bca_interval(mean(values)?, means.collect(), &[means_without(values)])
}

/// The interval of mean(`a`) - mean(`b`) of two groups of different pieces, each resampled on its own; `None` when either
/// has fewer than two values. For the same pieces under two arms take [`mean_interval`] of the differences.
pub fn mean_difference_interval(
    a: &[f64],
    b: &[f64],
    seed: u64,
    label: &str,
) -> Option<(f64, f64)> {
    let (n_a, n_b) = (several(a)?, several(b)?);
    let (mean_a, mean_b) = (mean(a)?, mean(b)?);
    let mut stream = stream(seed, label);
    let differences = (0..RESAMPLES).map(|_| {
        let mean_a = resampled_mean(&mut stream, a, n_a);
        mean_a - resampled_mean(&mut stream, b, n_b)
    });
    let without_a = means_without(a).iter().map(|m| m - mean_b).collect();
    let without_b = means_without(b).iter().map(|m| mean_a - m).collect();
    bca_interval(
        mean_a - mean_b,
        differences.collect(),
        &[without_a, without_b],
    )
}

/// How many values there are, if at least two.
fn several(values: &[f64]) -> Option<u32> {
    u32::try_from(values.len()).ok().filter(|&n| n >= 2)
}

fn resampled_mean(stream: &mut ChaCha20Rng, values: &[f64], n: u32) -> f64 {
    let sum: f64 = (0..n).map(|_| values[below(stream, n) as usize]).sum();
    sum / f64::from(n)
}

/// The mean without each of the values in turn.
fn means_without(values: &[f64]) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    let others = (values.len() - 1) as f64;
    values.iter().map(|value| (sum - value) / others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f64; 10] = [
        0.113, 0.427, -0.231, 0.309, 0.251, -0.057, 0.177, 0.023, 0.391, -0.119,
    ];

    #[test]
    fn the_interval_depends_on_seed_and_label_only() {
        let first = mean_interval(&VALUES, 7, "bitter").unwrap();
        assert_eq!(mean_interval(&VALUES, 7, "bitter").unwrap(), first);
        assert_ne!(mean_interval(&VALUES, 8, "bitter").unwrap(), first);
        assert_ne!(mean_interval(&VALUES, 7, "sweet").unwrap(), first);
    }

    #[test]
    fn one_value_has_no_interval_and_equal_values_one_of_no_width() {
        assert_eq!(mean_interval(&[], 0, "x"), None);
        assert_eq!(mean_interval(&[0.5], 0, "x"), None);
        assert_eq!(mean_interval(&[0.5; 4], 0, "x"), Some((0.5, 0.5)));
        assert_eq!(mean_interval(&[0.1; 7], 0, "x"), Some((0.1, 0.1)));
        assert_eq!(mean_difference_interval(&[0.5], &VALUES, 0, "x"), None);
        let equal = mean_difference_interval(&[0.5; 3], &[0.25; 5], 0, "x");
        assert_eq!(equal, Some((0.25, 0.25)));
    }

    #[test]
    fn many_values_have_the_interval_that_resamples_would_give() {
        // Skewed, as an exponential distribution is.
        let n = 4_000;
        let quantile = |i: usize| -(1.0 - (i as f64 + 0.5) / n as f64).ln();
        let values: Vec<f64> = (0..n).map(quantile).collect();
        let (drawn, computed) = (
            resampled_interval(&values, 0, "x").unwrap(),
            expanded_interval(&values).unwrap(),
        );
        // Ends of ten thousand resamples have a standard error of 0.027 of the mean's own.
        let se = 1.0 / (n as f64).sqrt();
        for (drawn, computed) in [(drawn.0, computed.0), (drawn.1, computed.1)] {
            assert!((drawn - computed).abs() < 0.08 * se, "{drawn} {computed}");
        }
        // The mean lies nearer to the lower end.
        assert!(computed.0 + computed.1 > 2.0 * mean(&values).unwrap());
        let equal = vec![0.1; MOST_RESAMPLED + 1];
        assert_eq!(mean_interval(&equal, 0, "x"), Some((0.1, 0.1)));
    }

    #[test]
    fn two_values_span_the_interval() {
        let (low, high) = mean_interval(&[0.25, 0.75], 0, "x").unwrap();
        assert_eq!((low, high), (0.25, 0.75));
    }
}

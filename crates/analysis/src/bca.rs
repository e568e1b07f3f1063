//! Bias-corrected and accelerated (BCa) bootstrap intervals of any statistic.
//!
//! B. Efron, Better bootstrap confidence intervals (1987), equations 2.3 and 6.6; for several independent samples with the
//! acceleration of B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), section 14.3, summed over the samples
//! as `scipy.stats.bootstrap(method="BCa")` does.

use statrs::function::erf::{erfc, erfc_inv};

use super::mean::mean;
use super::summary::quantile;

/// Resamples drawn for one interval.
pub const RESAMPLES: usize = 10_000;

/// The 95 % BCa interval `(low, high)` of a statistic, in its own unit.
///
/// - `estimate`: the statistic of the data.
/// - `replicates`: the statistic of each bootstrap resample, in any order.
/// - `left_out`: for every independent sample, the statistic without each of its items in turn (the jackknife).
///
/// Where BCa is not defined, what stands nearest is returned: if all replicates are equal (to rounding), the estimate twice; if the
/// jackknife has no spread, the acceleration is 0 (the bias-corrected interval); if every replicate lies on one side of the
/// estimate, or the acceleration turns the quantiles around, the percentile interval. `None` when there is no replicate or a
/// value is not finite.
pub fn bca_interval(
    estimate: f64,
    mut replicates: Vec<f64>,
    left_out: &[Vec<f64>],
) -> Option<(f64, f64)> {
    let given = || replicates.iter().chain(left_out.iter().flatten());
    if !estimate.is_finite() || !given().all(|value| value.is_finite()) {
        return None;
    }
    replicates.sort_by(f64::total_cmp);
    let (first, last) = (*replicates.first()?, *replicates.last()?);
    if last - first <= 1e-12 * estimate.abs() {
        return Some((estimate, estimate));
    }
    let (low, high) = levels(estimate, &replicates, left_out).unwrap_or((0.025, 0.975));
    Some((quantile(&replicates, low)?, quantile(&replicates, high)?))
}

/// The two quantiles of the sorted replicates that BCa takes; `None` where it is not defined.
fn levels(estimate: f64, sorted: &[f64], left_out: &[Vec<f64>]) -> Option<(f64, f64)> {
    // A resample whose statistic is the estimate may miss it by rounding: it counts half on either side.
    let rounding = 1e-12 * (sorted[sorted.len() - 1] - sorted[0]);
    let below = sorted.partition_point(|&r| r < estimate - rounding);
    let up_to = sorted.partition_point(|&r| r <= estimate + rounding);
    let share = (below + up_to) as f64 / (2 * sorted.len()) as f64;
    if share <= 0.0 || share >= 1.0 {
        return None;
    }
    let bias = normal_quantile(share);
    let acceleration = acceleration(left_out);
    let level = |nominal: f64| {
        let shifted = bias + normal_quantile(nominal);
        let scale = 1.0 - acceleration * shifted;
        (scale > 0.0).then(|| normal_share(bias + shifted / scale))
    };
    let (low, high) = (level(0.025)?, level(0.975)?);
    (low <= high).then_some((low, high))
}

/// Efron's acceleration from the jackknife: a sixth of the skewness of the influence of the items, 0 without spread.
fn acceleration(left_out: &[Vec<f64>]) -> f64 {
    let (mut cubes, mut squares) = (0.0, 0.0);
    for sample in left_out {
        let Some(centre) = mean(sample) else {
            continue;
        };
        let n = sample.len() as f64;
        let influence = sample.iter().map(|value| (n - 1.0) * (centre - value) / n);
        for u in influence {
            cubes += u * u * u;
            squares += u * u;
        }
    }
    let scale = squares.powf(1.5);
    if scale > 0.0 {
        cubes / scale / 6.0
    } else {
        0.0
    }
}

fn normal_quantile(share: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * share)
}

fn normal_share(z: f64) -> f64 {
    erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(n: usize) -> Vec<f64> {
        (0..n).map(|i| i as f64).collect()
    }

    #[test]
    fn without_bias_and_skewness_it_is_the_percentile_interval() {
        let (low, high) = bca_interval(500.0, ramp(1001), &[vec![1.0, 2.0, 3.0]]).unwrap();
        assert!((low - 25.0).abs() < 1e-6 && (high - 975.0).abs() < 1e-6);
    }

    #[test]
    fn an_estimate_outside_the_replicates_falls_back_to_percentiles() {
        let outside = bca_interval(-1.0, ramp(1001), &[vec![1.0, 2.0]]).unwrap();
        assert_eq!(outside, (25.0, 975.0));
    }

    #[test]
    fn undefined_values_give_no_interval_and_equal_ones_one_of_no_width() {
        assert_eq!(bca_interval(0.5, vec![], &[]), None);
        assert_eq!(bca_interval(f64::NAN, ramp(9), &[]), None);
        assert_eq!(bca_interval(0.5, vec![0.1, f64::NAN], &[]), None);
        assert_eq!(bca_interval(0.5, ramp(9), &[vec![f64::INFINITY]]), None);
        assert_eq!(bca_interval(0.5, vec![0.5; 20], &[]), Some((0.5, 0.5)));
    }
}

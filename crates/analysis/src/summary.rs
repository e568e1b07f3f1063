//! What a box plot and a table say about one group of scores.

use super::bootstrap::mean_interval;
use super::mean::{mean, sd};

/// One group of values in numbers, all in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many values; never 0.
    pub n: usize,
    pub mean: f64,
    /// Standard deviation with n - 1 below the line; `None` for one value.
    pub sd: Option<f64>,
    pub min: f64,
    /// Quartiles by linear interpolation between order statistics: the default of numpy and pandas.
    pub q1: f64,
    pub median: f64,
    pub q3: f64,
    pub max: f64,
    /// Bootstrap 95 % interval (BCa) of the mean ([`mean_interval`]); `None` for one value.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
}

/// Summarise `values` (at least one, all finite; otherwise `None`). `label` names the bootstrap's random stream.
pub fn summarise(values: &[f64], seed: u64, label: &str) -> Option<Summary> {
    if !values.iter().all(|v| v.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let interval = mean_interval(&sorted, seed, label);
    Some(Summary {
        n: sorted.len(),
        mean: mean(&sorted)?,
        sd: sd(&sorted),
        min: *sorted.first()?,
        q1: quantile(&sorted, 0.25)?,
        median: quantile(&sorted, 0.5)?,
        q3: quantile(&sorted, 0.75)?,
        max: *sorted.last()?,
        ci_low: interval.map(|i| i.0),
        ci_high: interval.map(|i| i.1),
    })
}

/// Tukey's whiskers: the outermost values within 1.5 interquartile ranges of the box, `(low, high)`.
pub fn whiskers(values: &[f64], summary: &Summary) -> (f64, f64) {
    let reach = 1.5 * (summary.q3 - summary.q1);
    let inside = values
        .iter()
        .filter(|&&v| v >= summary.q1 - reach && v <= summary.q3 + reach);
    // Quartiles are interpolated, so the nearest value inside the fence may lie within the box: stop at the box then.
    inside.fold((summary.q1, summary.q3), |(low, high), &v| {
        (low.min(v), high.max(v))
    })
}

/// The `p` quantile of sorted values, interpolated linearly; `None` when there are none.
pub(super) fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = p * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let fraction = position - below as f64;
    Some(sorted[below] + fraction * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undefined_is_empty_and_not_nan() {
        assert_eq!(summarise(&[], 0, "x"), None);
        assert_eq!(summarise(&[0.1, f64::NAN], 0, "x"), None);
        let one = summarise(&[0.25], 0, "x").unwrap();
        assert_eq!((one.n, one.mean, one.q1, one.max), (1, 0.25, 0.25, 0.25));
        assert_eq!((one.sd, one.ci_low, one.ci_high), (None, None, None));
    }

    #[test]
    fn equal_values_have_no_spread_to_the_last_digit() {
        let equal = summarise(&[0.1; 7], 0, "x").unwrap();
        assert_eq!((equal.mean, equal.sd), (0.1, Some(0.0)));
        assert_eq!((equal.q1, equal.q3), (0.1, 0.1));
    }

    #[test]
    fn whiskers_leave_outliers_out() {
        let values = [-9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 30.0];
        let summary = summarise(&values, 0, "x").unwrap();
        assert_eq!(whiskers(&values, &summary), (1.0, 5.0));
    }

    #[test]
    fn whiskers_never_end_inside_the_box() {
        let values = [0.0, 10.0, 10.1, 10.2];
        let summary = summarise(&values, 0, "x").unwrap();
        let (low, high) = whiskers(&values, &summary);
        assert!(low <= summary.q1 && high >= summary.q3);
    }
}

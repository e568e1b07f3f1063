//! Agreement of two sets of scores of the same pieces.

use std::cmp::Ordering;

use super::mean::mean;

/// Pearson's r; `None` for fewer than two pairs or when one side is constant.
pub fn pearson_r(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let (mean_a, mean_b) = (mean(a)?, mean(b)?);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let scale = aa.sqrt() * bb.sqrt();
    (scale > 0.0).then(|| (ab / scale).clamp(-1.0, 1.0))
}

/// Kendall's tau-b (M. Kendall, The treatment of ties in ranking problems, 1945; `scipy.stats.kendalltau`); `None` as for
/// [`pearson_r`], and when a value is not finite.
///
/// In O(n log n) by W. Knight, A computer method for calculating Kendall's tau with ungrouped data (1966): with the pairs in
/// the order of a, those that b has the other way round are the exchanges of a merge sort by b.
pub fn kendall_tau_b(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 || !a.iter().chain(b).all(|v| v.is_finite()) {
        return None;
    }
    let mut pairs: Vec<(f64, f64)> = a.iter().copied().zip(b.iter().copied()).collect();
    pairs.sort_by(|x, y| order(x.0, y.0).then(order(x.1, y.1)));
    let tied_a = pairs_within(pairs.chunk_by(|x, y| x.0 == y.0));
    let tied_both = pairs_within(pairs.chunk_by(|x, y| x == y));
    let mut second: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    let reversed = exchanges(&mut second, &mut vec![0.0; b.len()]);
    let tied_b = pairs_within(second.chunk_by(|x, y| x == y));

    let all = pairs_of(pairs.len());
    let balance = all - tied_a - tied_b + tied_both - 2 * reversed;
    let scale = ((all - tied_a) as f64).sqrt() * ((all - tied_b) as f64).sqrt();
    (scale > 0.0).then(|| (balance as f64 / scale).clamp(-1.0, 1.0))
}

/// Of finite values, in which 0 and -0 are the same.
fn order(x: f64, y: f64) -> Ordering {
    x.partial_cmp(&y).unwrap_or(Ordering::Equal)
}

fn pairs_of(n: usize) -> i64 {
    let n = n as i64;
    n * (n - 1) / 2
}

fn pairs_within<'a, T: 'a>(runs: impl Iterator<Item = &'a [T]>) -> i64 {
    runs.map(|run| pairs_of(run.len())).sum()
}

/// Sort `values` by merging and count the pairs that were in the wrong order; `spare` is as long.
fn exchanges(values: &mut [f64], spare: &mut [f64]) -> i64 {
    let middle = values.len() / 2;
    if middle == 0 {
        return 0;
    }
    let (low, high) = values.split_at_mut(middle);
    let (low_spare, high_spare) = spare.split_at_mut(middle);
    let mut count = exchanges(low, low_spare) + exchanges(high, high_spare);
    let (mut i, mut j) = (0, 0);
    for place in spare.iter_mut() {
        if j == high.len() || (i < low.len() && low[i] <= high[j]) {
            *place = low[i];
            i += 1;
        } else {
            *place = high[j];
            j += 1;
            count += (low.len() - i) as i64;
        }
    }
    values.copy_from_slice(spare);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_scores_correlate_with_nothing() {
        let (flat, slope) = ([0.3; 4], [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(pearson_r(&flat, &slope), None);
        assert_eq!(kendall_tau_b(&flat, &slope), None);
        assert_eq!(pearson_r(&[1.0], &[2.0]), None);
        assert_eq!(kendall_tau_b(&slope, &slope), Some(1.0));
    }
    /// Every pair compared with every other, as the definition says.
    fn by_definition(a: &[f64], b: &[f64]) -> f64 {
        let sign = |d: f64| i64::from(d > 0.0) - i64::from(d < 0.0);
        let (mut balance, mut untied_a, mut untied_b) = (0, 0, 0);
        for i in 0..a.len() {
            for j in 0..i {
                let (da, db) = (sign(a[i] - a[j]), sign(b[i] - b[j]));
                balance += da * db;
                untied_a += da.abs();
                untied_b += db.abs();
            }
        }
        balance as f64 / ((untied_a as f64).sqrt() * (untied_b as f64).sqrt())
    }

    #[test]
    fn sorting_counts_what_comparing_all_pairs_counts() {
        for n in [2, 3, 7, 64, 257] {
            let value = |i: usize, step: usize| ((i * step) % 23) as f64 - 11.0;
            let a: Vec<f64> = (0..n).map(|i| value(i, 7)).collect();
            let b: Vec<f64> = (0..n).map(|i| value(i * i, 5)).collect();
            let (fast, slow) = (kendall_tau_b(&a, &b).unwrap(), by_definition(&a, &b));
            assert!((fast - slow).abs() < 1e-14, "{n}: {fast}, not {slow}");
        }
        let signed_zeros = kendall_tau_b(&[0.0, -0.0, 1.0], &[1.0, 2.0, 3.0]);
        assert_eq!(
            signed_zeros,
            Some(by_definition(&[0.0, 0.0, 1.0], &[1.0, 2.0, 3.0]))
        );
        assert_eq!(kendall_tau_b(&[0.0, f64::NAN], &[1.0, 2.0]), None);
    }
}

//! Agreement of two sets of scores of the same pieces.

use super::summary::mean;

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

/// Kendall's tau-b (M. Kendall, The treatment of ties in ranking problems, 1945); `None` as for [`pearson_r`].
///
/// Compares every pair of pieces: n (n - 1) / 2 steps, 15 million for the 5,521 captions of MusicCaps.
pub fn kendall_tau_b(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let (mut balance, mut untied_a, mut untied_b) = (0_i64, 0_u64, 0_u64);
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        for (u, v) in a.iter().zip(b).take(i) {
            let (da, db) = (sign(x - u), sign(y - v));
            balance += da * db;
            untied_a += da.unsigned_abs();
            untied_b += db.unsigned_abs();
        }
    }
    let scale = (untied_a as f64).sqrt() * (untied_b as f64).sqrt();
    (scale > 0.0).then(|| (balance as f64 / scale).clamp(-1.0, 1.0))
}

fn sign(difference: f64) -> i64 {
    i64::from(difference > 0.0) - i64::from(difference < 0.0)
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
}

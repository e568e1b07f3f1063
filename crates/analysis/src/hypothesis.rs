//! Two-sided p-values for paired differences. Both equal scipy 1.17 (`tests/golden/stats.json`).

use statrs::function::{beta::checked_beta_reg, erf::erfc};

use super::mean::{mean, sd};

/// Most differences for which `scipy.stats.wilcoxon` counts exactly, without and with ties or zeros.
const EXACT: usize = 50;
const EXACT_WITH_TIES: usize = 13;

/// Paired t test (`scipy.stats.ttest_rel`) on the differences; `None` for fewer than two or when all are equal.
pub fn paired_t_p(differences: &[f64]) -> Option<f64> {
    let (mean, sd) = (mean(differences)?, sd(differences)?);
    let degrees = (differences.len() - 1) as f64;
    if sd <= 0.0 {
        return None;
    }
    let t_squared = (mean / sd).powi(2) * differences.len() as f64;
    checked_beta_reg(degrees / 2.0, 0.5, degrees / (degrees + t_squared)).ok()
}

/// Wilcoxon signed-rank test (`scipy.stats.wilcoxon` with its defaults); `None` for fewer than two differences, where
/// scipy says 1, and when none is non-zero.
///
/// F. Wilcoxon, Individual comparisons by ranking methods (1945). Zeros are dropped and ties get their mean rank. Up to
/// 50 differences (13 when some are tied or zero) the null distribution is counted, above that it is the normal
/// approximation with the correction for ties and without one for continuity.
pub fn wilcoxon_p(differences: &[f64]) -> Option<f64> {
    let mut nonzero: Vec<f64> = differences.iter().copied().filter(|&d| d != 0.0).collect();
    if differences.len() < 2 || nonzero.is_empty() || nonzero.iter().any(|d| !d.is_finite()) {
        return None;
    }
    nonzero.sort_by(|x, y| x.abs().total_cmp(&y.abs()));
    let (doubled_ranks, tie_term) = doubled_ranks(&nonzero);
    let positive: usize = nonzero
        .iter()
        .zip(&doubled_ranks)
        .filter(|(d, _)| **d > 0.0)
        .map(|(_, rank)| rank)
        .sum();
    let tied = tie_term > 0.0 || nonzero.len() < differences.len();
    let limit = if tied { EXACT_WITH_TIES } else { EXACT };
    Some(if differences.len() <= limit {
        exact_p(&doubled_ranks, positive)
    } else {
        normal_p(nonzero.len() as f64, positive as f64 / 2.0, tie_term)
    })
}

/// Twice the mean ranks of values sorted by magnitude (so that they are whole), and the sum of t^3 - t over ties.
fn doubled_ranks(sorted: &[f64]) -> (Vec<usize>, f64) {
    let (mut ranks, mut tie_term) = (Vec::with_capacity(sorted.len()), 0.0);
    for run in sorted.chunk_by(|x, y| x.abs() == y.abs()) {
        let first = ranks.len() + 1;
        ranks.extend(std::iter::repeat_n(2 * first + run.len() - 1, run.len()));
        let t = run.len() as f64;
        tie_term += t * t * t - t;
    }
    (ranks, tie_term)
}

/// Counts, over all 2^n signs, how often the sum of positive ranks is as far out as `observed`.
fn exact_p(doubled_ranks: &[usize], observed: usize) -> f64 {
    let total: usize = doubled_ranks.iter().sum();
    let mut ways = vec![0.0_f64; total + 1];
    ways[0] = 1.0;
    for &rank in doubled_ranks {
        for sum in (rank..=total).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let below: f64 = ways[..=observed].iter().sum();
    let above: f64 = ways[observed..].iter().sum();
    let all: f64 = ways.iter().sum();
    (2.0 * below.min(above) / all).min(1.0)
}

fn normal_p(n: f64, positive: f64, tie_term: f64) -> f64 {
    let expected = n * (n + 1.0) / 4.0;
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - tie_term / 2.0) / 24.0;
    let z = (positive - expected) / variance.sqrt();
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_difference_has_no_p_value() {
        assert_eq!(paired_t_p(&[0.2]), None);
        assert_eq!(paired_t_p(&[0.2; 5]), None);
        assert_eq!(wilcoxon_p(&[]), None);
        assert_eq!(wilcoxon_p(&[0.2]), None);
        assert_eq!(wilcoxon_p(&[0.0; 60]), None);
    }

    #[test]
    fn all_pieces_higher_by_the_least_possible_p() {
        let p = wilcoxon_p(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(p, 2.0 / 32.0);
    }
}

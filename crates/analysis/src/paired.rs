//! Two arms on the same pieces.

use super::correlation::{kendall_tau_b, pearson_r};
use super::hypothesis::{paired_t_p, wilcoxon_p};
use super::summary::{Summary, summarise};

/// How arm a differs from arm b, piece by piece. A value that the data do not define is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Of the differences a - b, with the bootstrap interval of their mean.
    pub differences: Summary,
    /// Share of pieces, 0 to 1, whose score under a is above that under b.
    pub wins: f64,
    /// Cohen's d of paired samples: mean difference over the standard deviation of the differences (also d_z).
    pub cohens_d: Option<f64>,
    pub pearson_r: Option<f64>,
    pub kendall_tau_b: Option<f64>,
    /// Two-sided, of the paired t test.
    pub t_p: Option<f64>,
    /// Two-sided, of the Wilcoxon signed-rank test.
    pub wilcoxon_p: Option<f64>,
}

/// Compare `a` with `b`, index by index; `None` when they are empty, differ in length, or hold a value that is not
/// finite. `label` names the bootstrap's random stream.
pub fn paired(a: &[f64], b: &[f64], seed: u64, label: &str) -> Option<Paired> {
    if a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let summary = summarise(&differences, seed, label)?;
    let wins = differences.iter().filter(|&&d| d > 0.0).count();
    Some(Paired {
        differences: summary,
        wins: wins as f64 / summary.n as f64,
        cohens_d: summary
            .sd
            .filter(|&sd| sd > 0.0)
            .map(|sd| summary.mean / sd),
        pearson_r: pearson_r(a, b),
        kendall_tau_b: kendall_tau_b(a, b),
        t_p: paired_t_p(&differences),
        wilcoxon_p: wilcoxon_p(&differences),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::bootstrap::mean_difference_interval;

    /// Made by `scripts/parity/stats.py` with numpy and scipy.
    const GOLDEN: &str = include_str!("../../../tests/golden/stats.json");

    #[derive(Deserialize)]
    struct Case {
        name: String,
        a: Vec<f64>,
        b: Vec<f64>,
        mean: f64,
        sd: Option<f64>,
        quantiles: [f64; 5],
        bootstrap: Option<[f64; 2]>,
        bootstrap_of_groups: Option<[f64; 2]>,
        cohens_d: Option<f64>,
        pearson_r: Option<f64>,
        kendall_tau_b: Option<f64>,
        t_p: Option<f64>,
        wilcoxon_p: Option<f64>,
    }

    #[test]
    fn equals_numpy_and_scipy() {
        let cases: Vec<Case> = serde_json::from_str(GOLDEN).unwrap();
        assert!(cases.len() >= 12);
        for case in cases {
            let (p, name) = (paired(&case.a, &case.b, 0, "golden").unwrap(), &case.name);
            let d = p.differences;
            same(name, "mean", Some(d.mean), Some(case.mean));
            same(name, "sd", d.sd, case.sd);
            for (ours, theirs) in [d.min, d.q1, d.median, d.q3, d.max]
                .iter()
                .zip(case.quantiles)
            {
                same(name, "quantile", Some(*ours), Some(theirs));
            }
            same(name, "cohens_d", p.cohens_d, case.cohens_d);
            same(name, "pearson_r", p.pearson_r, case.pearson_r);
            same(name, "kendall_tau_b", p.kendall_tau_b, case.kendall_tau_b);
            same(name, "t_p", p.t_p, case.t_p);
            same(name, "wilcoxon_p", p.wilcoxon_p, case.wilcoxon_p);
            same_interval(name, d.ci_low.zip(d.ci_high), case.bootstrap);
            let of_groups = mean_difference_interval(&case.a, &case.b, 0, "golden");
            same_interval(name, of_groups, case.bootstrap_of_groups);
        }
    }

    /// Other random draws: the ends agree within 6 % of the width (Monte Carlo error about 1 %).
    fn same_interval(case: &str, ours: Option<(f64, f64)>, theirs: Option<[f64; 2]>) {
        match (ours, theirs) {
            (Some(ours), Some([low, high])) => {
                let tolerance = 0.06 * (high - low) + 1e-12;
                let off = (ours.0 - low).abs().max((ours.1 - high).abs());
                assert!(off <= tolerance, "{case}: {ours:?}, not {low} to {high}");
            }
            _ => assert_eq!(ours.is_some(), theirs.is_some(), "{case}"),
        }
    }

    /// Equal within 1e-9 of the value, or 1e-13 near zero; both empty or neither.
    fn same(case: &str, what: &str, ours: Option<f64>, theirs: Option<f64>) {
        match (ours, theirs) {
            (Some(x), Some(y)) => {
                let tolerance = 1e-9 * y.abs() + 1e-13;
                assert!((x - y).abs() <= tolerance, "{case}: {what} is {x}, not {y}");
            }
            _ => assert_eq!(ours, theirs, "{case}: {what}"),
        }
    }

    #[test]
    fn unequal_lengths_are_not_paired() {
        assert_eq!(paired(&[0.1, 0.2], &[0.1], 0, "x"), None);
        assert_eq!(paired(&[], &[], 0, "x"), None);
    }

    #[test]
    fn an_arm_against_itself_wins_nothing() {
        let scores = [0.1, 0.3, 0.2];
        let p = paired(&scores, &scores, 0, "x").unwrap();
        assert_eq!((p.wins, p.differences.mean), (0.0, 0.0));
        assert_eq!((p.cohens_d, p.t_p, p.wilcoxon_p), (None, None, None));
        assert_eq!(p.kendall_tau_b, Some(1.0));
    }
}

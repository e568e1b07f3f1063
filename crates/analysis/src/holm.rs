//! Several tests at once.

/// Holm's step-down correction of a family of p values (S. Holm, A simple sequentially rejective multiple test procedure,
/// 1979; `statsmodels.stats.multitest.multipletests(method="holm")`), in the order given.
///
/// A test that was not run (`None`, or not a number) stays `None` and does not count: the family is as large as the tests
/// that were run.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let found = p.iter().enumerate();
    let mut run: Vec<(usize, f64)> = found
        .filter_map(|(i, p)| p.filter(|p| p.is_finite()).map(|p| (i, p)))
        .collect();
    run.sort_by(|(_, x), (_, y)| x.total_cmp(y));
    let mut corrected = vec![None; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &(i, p)) in run.iter().enumerate() {
        let left = (run.len() - rank) as f64;
        largest = largest.max((left * p).min(1.0));
        corrected[i] = Some(largest);
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tests_do_not_count() {
        let p = [Some(0.01), None, Some(0.04), Some(f64::NAN), Some(0.03)];
        let corrected = holm(&p);
        assert_eq!(corrected[0], Some(0.03));
        assert_eq!(corrected[4], Some(0.06));
        // 1 x 0.04 would lie under the one before it.
        assert_eq!(corrected[2], Some(0.06));
        assert_eq!((corrected[1], corrected[3]), (None, None));
        assert_eq!(holm(&[]), []);
        assert_eq!(holm(&[None; 2]), [None; 2]);
    }

    /// statsmodels 0.15.0: `multipletests([0.01, 0.04, 0.03, 0.005, 0.5, 0.04], method="holm")[1]`.
    #[test]
    fn equals_statsmodels() {
        let found = holm(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.04].map(Some));
        for (ours, theirs) in found.iter().zip([0.05, 0.12, 0.12, 0.03, 0.5, 0.12]) {
            assert!((ours.unwrap() - theirs).abs() < 1e-15);
        }
    }

    #[test]
    fn one_test_stays_as_it_is_and_none_exceeds_1() {
        assert_eq!(holm(&[Some(0.2), None]), [Some(0.2), None]);
        assert_eq!(holm(&[Some(0.7), Some(0.9)]), [Some(1.0), Some(1.0)]);
    }
}

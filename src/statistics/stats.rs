//! Rows of `stats.csv` from rows of `scores.csv`.

use analysis::holm::holm;
use analysis::paired::paired;
use analysis::summary::summarise;
use rayon::prelude::*;

use super::draws::spread;
use super::grouping::{ALL, Arm, Scored, StatsError, by_arm, tastes};
use crate::labels::Labels;
use crate::tables::stats::{Kind, StatsRow};

/// Summaries of every arm, then of every pair of arms (first minus second, over the pieces that both have), each over
/// all tastes and then taste by taste; then the spread of every arm within and between prompts that have several draws.
/// A group without pieces has no row. Tastes are in the order of `labels`.
pub fn stats<S: Scored>(
    rows: &[S],
    seed: u64,
    labels: &Labels,
) -> Result<Vec<StatsRow>, StatsError> {
    let (arms, tastes) = (by_arm(rows)?, tastes(rows, labels));
    let mut groups: Vec<(&Arm<'_>, Option<&Arm<'_>>, &str)> = Vec::new();
    let each_taste = || std::iter::once(ALL).chain(tastes.iter().copied());
    for arm in &arms {
        groups.extend(each_taste().map(|taste| (arm, None, taste)));
    }
    for (i, arm) in arms.iter().enumerate() {
        for other in arms.iter().skip(i + 1).filter(|b| arm.compares_with(b)) {
            groups.extend(each_taste().map(|taste| (arm, Some(other), taste)));
        }
    }
    let grouped = groups.par_iter().map(|(arm, other, taste)| match other {
        None => {
            // U+001F keeps ("ab", "c") and ("a", "bc") apart.
            let label = format!("arm\u{1f}{}\u{1f}{taste}", arm.name);
            let summary = summarise(&arm.scores(taste), seed, &label)?;
            Some(StatsRow::of_arm(arm.name, taste, &summary))
        }
        Some(other) => {
            let (a, b) = arm.paired_with(other, taste);
            let label = format!("pair\u{1f}{}\u{1f}{}\u{1f}{taste}", arm.name, other.name);
            let comparison = paired(&a, &b, seed, &label)?;
            Some(StatsRow::of_pair(arm.name, other.name, taste, &comparison))
        }
    });
    let mut table: Vec<StatsRow> = grouped.collect::<Vec<_>>().into_iter().flatten().collect();
    correct(&mut table);
    table.extend(spread(rows, seed));
    Ok(table)
}

/// Correct the p values of every pair of arms over its tastes; that over all tastes is a test of its own.
fn correct(table: &mut [StatsRow]) {
    let same_pair = |x: &StatsRow, y: &StatsRow| x.arm == y.arm && x.arm_b == y.arm_b;
    for pair in table.chunk_by_mut(same_pair) {
        let by_taste = pair
            .iter_mut()
            .filter(|row| row.kind == Kind::Pair && row.taste != ALL);
        let mut family: Vec<&mut StatsRow> = by_taste.collect();
        let t: Vec<_> = family.iter().map(|row| row.t_p).collect();
        let wilcoxon: Vec<_> = family.iter().map(|row| row.wilcoxon_p).collect();
        let corrected = holm(&t).into_iter().zip(holm(&wilcoxon));
        for (row, (t, wilcoxon)) in family.iter_mut().zip(corrected) {
            (row.t_p_holm, row.wilcoxon_p_holm) = (t, wilcoxon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::scores::row;

    #[test]
    fn one_row_per_group_that_has_pieces() {
        let rows = [
            row("1", "on", "sweet", 0.25),
            row("2", "on", "sour", 0.5),
            row("1", "off", "sweet", 0.125),
            row("9", "off", "salty", 0.75),
        ];
        let table = stats(&rows, 0, &Labels::default()).unwrap();
        let keys: Vec<_> = table
            .iter()
            .map(|r| (r.arm.as_str(), r.arm_b.as_deref(), r.taste.as_str(), r.n))
            .collect();
        let expected = [
            ("on", None, "all", 2),
            ("on", None, "sour", 1),
            ("on", None, "sweet", 1),
            ("off", None, "all", 2),
            ("off", None, "sweet", 1),
            ("off", None, "salty", 1),
            ("on", Some("off"), "all", 1),
            ("on", Some("off"), "sweet", 1),
        ];
        assert_eq!(keys, expected);
        let pair = table.last().unwrap();
        assert_eq!(
            (pair.kind, pair.mean, pair.wins),
            (Kind::Pair, 0.125, Some(1.0))
        );
        assert_eq!((pair.sd, pair.t_p), (None, None));
        assert_eq!((pair.wilcoxon_p, pair.wilcoxon_p_holm), (None, None));
    }

    #[test]
    fn p_values_are_corrected_over_the_tastes_of_a_pair() {
        let tastes = ["sweet", "sour", "bitter"];
        let mut rows = Vec::new();
        for (i, taste) in tastes.iter().cycle().take(19).enumerate() {
            let score = (i * i) as f64 / 400.0;
            let id = i.to_string();
            rows.push(row(&id, "on", taste, score));
            rows.push(row(&id, "off", taste, 0.3));
        }
        rows.push(row("alone", "on", "salty", 0.2));
        rows.push(row("alone", "off", "salty", 0.1));
        let table = stats(&rows, 0, &Labels::default()).unwrap();
        let pairs: Vec<_> = table.iter().filter(|r| r.kind == Kind::Pair).collect();
        let of = |taste: &str| *pairs.iter().find(|r| r.taste == taste).unwrap();
        assert!(of(ALL).t_p.is_some() && of(ALL).t_p_holm.is_none());
        assert_eq!((of("salty").n, of("salty").t_p_holm), (1, None));
        let p: Vec<_> = tastes.iter().map(|taste| of(taste).t_p).collect();
        let corrected: Vec<_> = tastes.iter().map(|taste| of(taste).t_p_holm).collect();
        assert_eq!(corrected, holm(&p));
        let wilcoxon = of("sweet");
        assert!(wilcoxon.wilcoxon_p_holm >= wilcoxon.wilcoxon_p);
        let arms = table.iter().filter(|r| r.kind == Kind::Arm);
        assert!(arms.clone().count() > 0 && arms.clone().all(|r| r.t_p_holm.is_none()));
    }

    #[test]
    fn the_same_from_unrounded_scores_and_from_the_file() {
        let exact: Vec<_> = (0..20)
            .map(|i| row(&i.to_string(), "a", "sweet", f64::from(i * i).sin() / 3.0))
            .collect();
        let mut written = exact.clone();
        for row in &mut written {
            row.clap_score = format!("{:.6}", row.clap_score).parse().unwrap();
        }
        assert_eq!(
            stats(&exact, 3, &Labels::default()).unwrap(),
            stats(&written, 3, &Labels::default()).unwrap()
        );
        assert_ne!(
            stats(&exact, 3, &Labels::default()).unwrap(),
            stats(&exact, 4, &Labels::default()).unwrap()
        );
    }
}

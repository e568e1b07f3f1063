//! The table of scores: the mean of each arm, over all pieces and by taste.

use std::collections::HashMap;

use super::PaperError;
use super::entry::{Entry, Measure, Table};
use super::run::Run;
use crate::statistics::grouping::FEW;
use crate::tables::StatsRow;
use crate::tables::stats::Kind;

/// The rule by which a number is marked.
const BOLD: &str = "Bold: the highest of its column in a run, where the 95 % interval of its paired difference to every other arm \
     of that run excludes 0 and is of at least 8 pieces (no correction for several comparisons)";

pub fn table(runs: &[Run]) -> Result<Table, PaperError> {
    let mut entries = Vec::new();
    for run in runs {
        entries.extend(of_run(&run.label, &run.stats()?));
    }
    Ok(Table {
        stem: "scores",
        caption: "CLAP score (cosine of a piece and its prompt): means with bootstrap 95 % intervals, by taste",
        notes: vec![BOLD.to_owned()],
        against: "",
        measures: &[Measure::Score],
        shows_p: false,
        decimals: 3,
        entries,
    })
}

fn of_run(run: &str, stats: &[StatsRow]) -> Vec<Entry> {
    let of_arms = stats.iter().filter(|row| row.kind == Kind::Arm);
    let mut entries: Vec<Entry> = of_arms
        .map(|row| Entry {
            run: run.to_owned(),
            arm: row.arm.clone(),
            arm_b: None,
            taste: row.taste.clone(),
            measure: Measure::Score,
            n: row.n,
            n_b: None,
            value: row.mean,
            interval: row.ci_low.zip(row.ci_high),
            p: None,
            bold: false,
        })
        .collect();
    let pairs = stats.iter().filter(|row| row.kind == Kind::Pair);
    let differences = pairs.filter_map(|row| {
        let arm_b = row.arm_b.as_deref()?;
        let key = (row.arm.as_str(), arm_b, row.taste.as_str());
        Some((key, row.ci_low.zip(row.ci_high)))
    });
    mark_best(&mut entries, &differences.collect());
    entries
}

/// The intervals of differences by the two arms and the taste.
type Differences<'s> = HashMap<(&'s str, &'s str, &'s str), Option<(f64, f64)>>;

/// Mark what is above every other arm of its taste by an interval that excludes 0, and is of enough pieces to be one.
pub fn mark_best(entries: &mut [Entry], differences: &Differences<'_>) {
    let above = |a: &Entry, b: &Entry| {
        let taste = a.taste.as_str();
        let of =
            |a: &Entry, b: &Entry| differences.get(&(&a.arm, &b.arm, taste)).copied().flatten();
        of(a, b).is_some_and(|(low, _)| low > 0.0) || of(b, a).is_some_and(|(_, high)| high < 0.0)
    };
    let bold: Vec<bool> = entries
        .iter()
        .map(|entry| {
            if entry.n < FEW {
                return false;
            }
            let same =
                |other: &&Entry| other.taste == entry.taste && other.measure == entry.measure;
            let mut others = entries
                .iter()
                .filter(same)
                .filter(|other| other.arm != entry.arm)
                .peekable();
            others.peek().is_some() && others.all(|other| above(entry, other))
        })
        .collect();
    for (entry, bold) in entries.iter_mut().zip(bold) {
        entry.bold = bold;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Labels;
    use crate::statistics::stats;
    use crate::tables::scores::row;

    fn entries(shift: [f64; 3]) -> Vec<Entry> {
        let arms = ["a", "b", "c"].into_iter().zip(shift);
        let rows: Vec<_> = arms
            .flat_map(|(arm, shift)| {
                (0..16).map(move |i| {
                    let noise = f64::from(i * i).sin() / 50.0 * (1.0 + shift);
                    row(
                        &i.to_string(),
                        arm,
                        ["sour", "sweet"][i as usize % 2],
                        shift + noise,
                    )
                })
            })
            .collect();
        of_run("run", &stats(&rows, 0, &Labels::default()).unwrap())
    }

    #[test]
    fn the_best_is_marked_only_where_it_is_above_every_other() {
        let bold = |shift| -> Vec<String> {
            let marked = entries(shift).into_iter().filter(|entry| entry.bold);
            marked
                .map(|entry| format!("{} {}", entry.arm, entry.taste))
                .collect()
        };
        assert_eq!(bold([0.1, 0.3, 0.2]), ["b all", "b sour", "b sweet"]);
        // Two arms that score alike.
        assert!(bold([0.1, 0.3, 0.3]).is_empty());
        assert_eq!(bold([-0.1, -0.3, -0.2]), ["a all", "a sour", "a sweet"]);
    }

    #[test]
    fn one_arm_is_not_the_best_of_any() {
        let rows = [row("1", "a", "sour", 0.1), row("2", "a", "sour", 0.3)];
        let entries = of_run("run", &stats(&rows, 0, &Labels::default()).unwrap());
        assert_eq!(entries.len(), 2);
        assert!(entries.iter().all(|entry| !entry.bold && entry.n == 2));
    }
}

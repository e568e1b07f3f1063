//! The table of paired differences: of each two arms, or of each arm and a baseline.

use foreign::{Foreign, hint};

use super::PaperError;
use super::entry::{Entry, Measure, Table};
use super::run::Run;
use crate::statistics::grouping::ALL;
use crate::tables::StatsRow;
use crate::tables::stats::Kind;

const BOLD: &str = "Bold: the interval excludes 0 and is of at least 8 pieces (no correction for several comparisons)";

pub fn table(runs: &[Run], baseline: Option<&str>) -> Result<Table, PaperError> {
    let mut entries = Vec::new();
    for run in runs {
        let stats = run.stats()?;
        let pairs = stats.iter().filter(|row| row.kind == Kind::Pair);
        let pairs = pairs.filter_map(|row| entry(&run.label, row));
        let Some(baseline) = baseline else {
            entries.extend(pairs);
            continue;
        };
        let mut names: Vec<&str> = stats.iter().map(|row| row.arm.as_str()).collect();
        names.dedup();
        names.extend(stats.iter().filter_map(|row| row.arm_b.as_deref()));
        if !names.contains(&baseline) {
            let mut known = Vec::new();
            for name in names {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
            return Err(PaperError::Baseline {
                path: run.folder.clone(),
                arm: Foreign::new(baseline),
                help: hint(baseline, &known),
            });
        }
        entries.extend(pairs.filter_map(|pair| against(pair, baseline)));
    }
    Ok(Table {
        stem: "differences",
        caption: "Paired differences in CLAP score, piece by piece, of the first arm minus the second: means with bootstrap 95 % \
                  intervals, by taste",
        notes: vec![BOLD.to_owned()],
        against: "minus",
        measures: &[Measure::Difference],
        shows_p: false,
        decimals: 3,
        entries,
    })
}

fn entry(run: &str, row: &StatsRow) -> Option<Entry> {
    let entry = Entry {
        run: run.to_owned(),
        arm: row.arm.clone(),
        arm_b: Some(row.arm_b.clone()?),
        taste: row.taste.clone(),
        measure: Measure::Difference,
        n: row.n,
        n_b: None,
        value: row.mean,
        interval: row.ci_low.zip(row.ci_high),
        // That over all tastes is a test of its own.
        p: match row.taste.as_str() {
            ALL => row.wilcoxon_p,
            _ => row.wilcoxon_p_holm,
        },
        bold: false,
    };
    Some(Entry {
        bold: entry.is_clear(),
        ..entry
    })
}

/// The difference to the baseline, whichever of the two stands first; `None` for another pair.
fn against(pair: Entry, baseline: &str) -> Option<Entry> {
    if pair.arm_b.as_deref() == Some(baseline) {
        return Some(pair);
    }
    (pair.arm == baseline).then(|| Entry {
        arm: pair.arm_b.clone().unwrap_or_default(),
        arm_b: Some(pair.arm.clone()),
        // Not -0.
        value: 0.0 - pair.value,
        interval: pair.interval.map(|(low, high)| (0.0 - high, 0.0 - low)),
        ..pair
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_stands_second_and_turns_the_sign() {
        let pair = |arm: &str, arm_b: &str| Entry {
            run: "run".into(),
            arm: arm.into(),
            arm_b: Some(arm_b.into()),
            taste: ALL.into(),
            measure: Measure::Difference,
            n: 9,
            n_b: None,
            value: 0.25,
            interval: Some((0.125, 0.5)),
            p: Some(0.01),
            bold: true,
        };
        assert_eq!(against(pair("a", "b"), "b"), Some(pair("a", "b")));
        assert_eq!(against(pair("a", "b"), "c"), None);
        let turned = against(pair("a", "b"), "a").unwrap();
        assert_eq!(
            (turned.arm.as_str(), turned.arm_b.as_deref()),
            ("b", Some("a"))
        );
        assert_eq!(
            (turned.value, turned.interval),
            (-0.25, Some((-0.5, -0.125)))
        );
        assert_eq!((turned.p, turned.bold, turned.n), (Some(0.01), true, 9));
    }
}

//! The tables of how far the tastes lie apart: in the embeddings of each arm, and of each two arms or sets.

use std::collections::HashMap;

use super::PaperError;
use super::entry::{Entry, Measure, Table};
use super::run::Run;
use super::scores::mark_best;
use crate::statistics::grouping::ALL;
use crate::tables::clusters::{ClusterKind, Metric};
use crate::tables::similarity::Against;
use crate::tables::{ClusterRow, DistanceRow, SimilarityRow};

const OF_ARMS: &str = "How far the tastes lie apart in the embeddings of the pieces: silhouette by cosine distance, Davies-Bouldin \
     index (lower is further apart), mean cosine distance of two pieces of one taste (intra) and of two tastes (inter), and mean \
     cosine of the pieces with prompts of their own taste (matched) and of others (mismatched)";
const OF_PAIRS: &str = "Two arms, or two sets of pieces: difference of their silhouettes (the first minus the second), and kernel and \
     Fréchet audio distance of the sets";
const READING: &str = "In brackets bootstrap 95 % intervals, and p of permutation tests; n counts pieces, and pairs of embeddings where \
     similarities are meant";
const BOLD: &str = "Bold: the highest silhouette of a run, where the 95 % interval of its difference to every other arm of that run \
     excludes 0 and is of at least 8 pieces (no correction for several comparisons)";
const BOLD_DIFFERENCE: &str = "Bold: the interval excludes 0 and is of at least 8 pieces (no correction for several comparisons)";
const SMALL: &str = "Fréchet distances are biased upwards here, since the sets are small against the dimensions of the embeddings: compare \
     only those of equal n, and go by the kernel distance";

/// Those of the two that the runs have numbers for.
pub fn tables(runs: &[Run]) -> Result<Vec<Table>, PaperError> {
    let (mut of_arms, mut of_pairs, mut small) = (Vec::new(), Vec::new(), false);
    for run in runs {
        let clusters: Vec<ClusterRow> = run.optional()?;
        let similarity: Vec<SimilarityRow> = run.optional()?;
        let distances: Vec<DistanceRow> = run.optional()?;
        small |= distances
            .iter()
            .any(|row| row.small_sample && row.frechet.is_some());
        of_arms.extend(separated(&run.label, &clusters, &similarity));
        of_pairs.extend(
            clusters
                .iter()
                .filter_map(|row| difference(&run.label, row)),
        );
        let arms: Vec<&str> = distances.iter().map(|row| row.arm.as_str()).collect();
        let several = arms.iter().any(|arm| *arm != arms[0]);
        of_pairs.extend(
            distances
                .iter()
                .flat_map(|row| apart(&run.label, row, several)),
        );
    }
    let sample = runs.iter().any(|run| run.manifest["sample"].is_number());
    let sample = sample.then_some("Of a large run, of a random sample of its pieces");
    let notes = |own: Vec<&str>| own.into_iter().chain(sample).map(str::to_owned).collect();
    let mut of_pairs_notes = vec![READING, BOLD_DIFFERENCE];
    of_pairs_notes.extend(small.then_some(SMALL));
    let tables = [
        Table {
            stem: "separation",
            caption: OF_ARMS,
            notes: notes(vec![READING, BOLD]),
            against: "",
            measures: &[
                Measure::Silhouette,
                Measure::DaviesBouldin,
                Measure::Intra,
                Measure::Inter,
                Measure::Matched,
                Measure::Mismatched,
            ],
            shows_p: true,
            decimals: 3,
            entries: of_arms,
        },
        Table {
            stem: "pairs",
            caption: OF_PAIRS,
            notes: notes(of_pairs_notes),
            against: "and",
            measures: &[
                Measure::SilhouetteDifference,
                Measure::Kernel,
                Measure::Frechet,
            ],
            shows_p: true,
            decimals: 3,
            entries: of_pairs,
        },
    ];
    Ok(tables
        .into_iter()
        .filter(|table| !table.entries.is_empty())
        .collect())
}

/// Of all pieces and all tastes together.
fn is_whole(row: &ClusterRow) -> bool {
    row.kind == ClusterKind::Audio && row.taste == ALL && row.pieces_per_taste.is_none()
}

fn entry(run: &str, arm: &str, measure: Measure, n: usize, value: f64) -> Entry {
    Entry {
        run: run.to_owned(),
        arm: arm.to_owned(),
        arm_b: None,
        taste: ALL.to_owned(),
        measure,
        n,
        n_b: None,
        value,
        interval: None,
        p: None,
        bold: false,
    }
}

fn separated(run: &str, clusters: &[ClusterRow], similarity: &[SimilarityRow]) -> Vec<Entry> {
    let whole = || clusters.iter().filter(|row| is_whole(row));
    let mut entries: Vec<Entry> = whole()
        .filter_map(|row| {
            let measure = match row.metric {
                Metric::Silhouette => Measure::Silhouette,
                Metric::DaviesBouldin => Measure::DaviesBouldin,
                Metric::IntraDistance => Measure::Intra,
                Metric::InterDistance => Measure::Inter,
                _ => return None,
            };
            Some(Entry {
                interval: row.ci_low.zip(row.ci_high),
                p: row.p,
                ..entry(run, &row.arm, measure, row.n, row.value)
            })
        })
        .collect();
    let differences = whole().filter(|row| row.metric == Metric::SilhouetteDifference);
    let differences: HashMap<_, _> = differences
        .filter_map(|row| {
            let key = (row.arm.as_str(), row.arm_b.as_deref()?, row.taste.as_str());
            Some((key, row.ci_low.zip(row.ci_high)))
        })
        .collect();
    mark_best(&mut entries, &differences);
    // The differences say nothing about the other columns.
    for entry in &mut entries {
        entry.bold &= entry.measure == Measure::Silhouette;
    }
    entries.extend(matched(run, similarity));
    entries
}

/// The mean cosine with prompts over all pairs of a piece and a prompt of one taste, and over those of two.
fn matched(run: &str, rows: &[SimilarityRow]) -> Vec<Entry> {
    let rows: Vec<&SimilarityRow> = rows
        .iter()
        .filter(|row| row.against == Against::Text)
        .collect();
    let mut arms: Vec<&str> = Vec::new();
    for row in &rows {
        if !arms.contains(&row.arm.as_str()) {
            arms.push(&row.arm);
        }
    }
    let mean = |arm: &str, measure: Measure| {
        let own = measure == Measure::Matched;
        let chosen = rows
            .iter()
            .filter(|row| row.arm == arm && (row.taste_a == row.taste_b) == own);
        let (n, sum) = chosen.fold((0, 0.0), |(n, sum), row| {
            (n + row.n, sum + row.n as f64 * row.similarity)
        });
        (n > 0).then(|| entry(run, arm, measure, n, sum / n as f64))
    };
    let both = [Measure::Matched, Measure::Mismatched];
    let all = arms
        .iter()
        .flat_map(|arm| both.map(|measure| mean(arm, measure)));
    all.flatten().collect()
}

fn difference(run: &str, row: &ClusterRow) -> Option<Entry> {
    if !is_whole(row) || row.metric != Metric::SilhouetteDifference {
        return None;
    }
    let entry = Entry {
        arm_b: Some(row.arm_b.clone()?),
        interval: row.ci_low.zip(row.ci_high),
        p: row.p,
        ..entry(
            run,
            &row.arm,
            Measure::SilhouetteDifference,
            row.n,
            row.value,
        )
    };
    Some(Entry {
        bold: entry.is_clear(),
        ..entry
    })
}

/// The distances of two sets, which are called as in the other tables: with their arm where there are several.
fn apart(run: &str, row: &DistanceRow, several: bool) -> Vec<Entry> {
    if row.taste != ALL {
        return Vec::new();
    }
    let name = |set: &str| match several {
        true => format!("{set}, {}", row.arm),
        false => set.to_owned(),
    };
    let of = |measure, value: f64, p| Entry {
        arm_b: Some(name(&row.set_b)),
        n_b: Some(row.n_b),
        p,
        ..entry(run, &name(&row.set_a), measure, row.n_a, value)
    };
    let kernel = row
        .kernel
        .map(|value| of(Measure::Kernel, value, row.kernel_p));
    let frechet = row.frechet.map(|value| of(Measure::Frechet, value, None));
    kernel.into_iter().chain(frechet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matched_is_the_mean_over_pairs_of_one_taste() {
        let row = |taste_a: &str, taste_b: &str, n, similarity| SimilarityRow {
            arm: "a".into(),
            against: Against::Text,
            taste_a: taste_a.into(),
            taste_b: taste_b.into(),
            n,
            similarity,
        };
        let rows = [
            row("sour", "sour", 3, 0.5),
            row("sour", "sweet", 3, 0.1),
            row("sweet", "sour", 1, 0.3),
            row("sweet", "sweet", 1, 0.1),
        ];
        let found = matched("run", &rows);
        let values: Vec<_> = found.iter().map(|e| (e.measure.name(), e.n)).collect();
        assert_eq!(
            values,
            [("matched_similarity", 4), ("mismatched_similarity", 4)]
        );
        assert!((found[0].value - 0.4).abs() < 1e-12 && (found[1].value - 0.15).abs() < 1e-12);
        assert!(matched("run", &[]).is_empty());
    }

    #[test]
    fn the_best_silhouette_is_marked_and_no_other_column() {
        let row = |metric, arm: &str, arm_b: Option<&str>, value, interval: Option<(f64, f64)>| {
            ClusterRow {
                kind: ClusterKind::Audio,
                metric,
                arm: arm.into(),
                arm_b: arm_b.map(str::to_owned),
                taste: ALL.into(),
                pieces_per_taste: None,
                n: 40,
                value,
                ci_low: interval.map(|i| i.0),
                ci_high: interval.map(|i| i.1),
                p: None,
            }
        };
        let bold = |interval| -> Vec<String> {
            let rows = [
                row(Metric::Silhouette, "a", None, 0.1, None),
                row(Metric::Silhouette, "b", None, 0.3, None),
                row(Metric::InterDistance, "a", None, 0.5, None),
                row(Metric::InterDistance, "b", None, 0.6, None),
                row(
                    Metric::SilhouetteDifference,
                    "a",
                    Some("b"),
                    -0.2,
                    Some(interval),
                ),
            ];
            let marked = separated("run", &rows, &[])
                .into_iter()
                .filter(|entry| entry.bold);
            marked
                .map(|e| format!("{} {}", e.arm, e.measure.name()))
                .collect()
        };
        assert_eq!(bold((-0.3, -0.1)), ["b silhouette"]);
        assert!(bold((-0.3, 0.1)).is_empty());
    }
}

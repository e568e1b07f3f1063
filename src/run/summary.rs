//! A finished run on standard output: one line an arm, one column a taste; below them what the draws, the clusters and the
//! distances say.

use foreign::Foreign;

use super::finish::Scored;
use crate::spec::Task;
use crate::statistics::grouping::{ALL, tastes};
use crate::tables::aligned;
use crate::tables::clusters::{ClusterKind, Metric};
use crate::tables::stats::Kind;
use crate::tables::{ClusterRow, DistanceRow, NearestRow, ScoreRow, StatsRow};

/// Neighbours of each query that are told.
const TOLD_NEIGHBOURS: usize = 3;
/// Of each of them.
const TOLD_CHARS: usize = 60;

/// What is told of a run that scored pieces.
pub(super) fn scored(run: &Scored, task: Task) -> String {
    let mut text = table(&run.scores, &run.stats) + &spread(&run.stats);
    if task == Task::Clusters {
        text += &separation(&run.clusters);
    }
    if task == Task::Compare {
        text += &paired(&run.stats);
        text += &apart(&run.distances);
    }
    text
}

/// How well each arm separates the tastes, and how much two arms differ in it.
fn separation(clusters: &[ClusterRow]) -> String {
    let of_all = |row: &&ClusterRow| {
        row.kind == ClusterKind::Audio && row.pieces_per_taste.is_none() && row.taste == ALL
    };
    let mut text = String::new();
    for row in clusters.iter().filter(of_all) {
        text += &match (row.metric, &row.arm_b) {
            (Metric::Silhouette, _) => format!(
                "{}: silhouette of the tastes {:.4}{}{} (n = {})\n",
                row.arm,
                row.value,
                interval(row.ci_low, row.ci_high),
                p_value(row.p),
                row.n
            ),
            (Metric::SilhouetteDifference, Some(other)) => format!(
                "{} less {other}: {:.4}{}\n",
                row.arm,
                row.value,
                interval(row.ci_low, row.ci_high)
            ),
            _ => String::new(),
        };
    }
    text
}

/// The differences of two sets, item by item.
fn paired(stats: &[StatsRow]) -> String {
    let pairs = stats
        .iter()
        .filter(|row| row.kind == Kind::Pair && row.taste == ALL);
    let line = |row: &StatsRow| {
        format!(
            "{} less {}: {:.4}{}{} (n = {})\n",
            row.arm,
            row.arm_b.as_deref().unwrap_or_default(),
            row.mean,
            interval(row.ci_low, row.ci_high),
            p_value(row.t_p),
            row.n
        )
    };
    pairs.map(line).collect()
}

/// How far two sets lie apart as a whole.
fn apart(distances: &[DistanceRow]) -> String {
    let mut text = String::new();
    for row in distances.iter().filter(|row| row.taste == ALL) {
        let Some(frechet) = row.frechet else { continue };
        let kernel = row.kernel.map_or_else(String::new, |kernel| {
            format!(
                ", kernel distance {}{}",
                small(kernel),
                p_value(row.kernel_p)
            )
        });
        text += &format!(
            "{}: Fréchet distance {}{kernel} (n = {} and {} in {} dimensions{})\n",
            row.arm,
            small(frechet),
            row.n_a,
            row.n_b,
            row.dimensions,
            match row.small_sample {
                true => ": too few for the Fréchet distance, which is biased upwards",
                false => "",
            }
        );
    }
    text
}

/// Distances may be tiny: three digits at least.
fn small(value: f64) -> String {
    match value.abs() {
        0.0 | 0.001.. => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match low.zip(high) {
        Some((low, high)) => format!(", 95 % interval {low:.4} to {high:.4}"),
        None => String::new(),
    }
}

fn p_value(p: Option<f64>) -> String {
    p.map_or_else(String::new, |p| format!(", p {p:.4}"))
}

/// The nearest texts of each query.
pub(super) fn nearest(rows: &[NearestRow]) -> String {
    let mut text = String::new();
    for group in rows.chunk_by(|a, b| a.query == b.query && a.kind == b.kind) {
        let Some(first) = group.first() else { continue };
        let found: Vec<String> = group
            .iter()
            .take(TOLD_NEIGHBOURS)
            .map(|row| {
                let text = Foreign::within(&row.text, TOLD_CHARS);
                format!("{text} ({:.3})", row.similarity)
            })
            .collect();
        text += &format!(
            "{}s nearest to '{}': {}\n",
            first.kind.name(),
            Foreign::new(&first.query),
            found.join("; ")
        );
    }
    text
}

/// How much the draws of one prompt differ, against the prompts: a sentence an arm, where prompts have several draws.
fn spread(stats: &[StatsRow]) -> String {
    let mut text = String::new();
    for within in stats.iter().filter(|row| row.kind == Kind::Within) {
        let between = |row: &&StatsRow| row.kind == Kind::Between && row.arm == within.arm;
        let (Some(sd), Some(between)) = (within.sd, stats.iter().find(between)) else {
            continue;
        };
        let arm = &within.arm;
        text += &match between.sd {
            Some(means) => format!(
                "{arm}: draws of one prompt differ with sd {sd:.4} ({} draws of {} prompts), the means of the prompts \
                 with sd {means:.4}\n",
                within.n, between.n
            ),
            None => format!(
                "{arm}: draws of one prompt differ with sd {sd:.4} ({} draws)\n",
                within.n
            ),
        };
    }
    text
}

/// Mean CLAP scores by arm and taste, as aligned plain text.
fn table(scores: &[ScoreRow], stats: &[StatsRow]) -> String {
    let mut columns = vec![ALL];
    columns.extend(tastes(scores));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in stats.iter().filter(|row| row.kind == Kind::Arm) {
        if rows.last().is_none_or(|last| last[0] != row.arm) {
            rows.push(vec![row.arm.clone(); 1]);
            if let Some(last) = rows.last_mut() {
                last.resize(2 + columns.len(), String::new());
            }
        }
        let place = columns.iter().position(|taste| *taste == row.taste);
        if let (Some(last), Some(place)) = (rows.last_mut(), place) {
            last[2 + place] = format!("{:.4}", row.mean);
            if row.taste == ALL {
                last[1] = row.n.to_string();
            }
        }
    }
    let mut header = vec!["mean CLAP score".to_owned(), "n".to_owned()];
    header.extend(columns.iter().map(|&taste| taste.to_owned()));
    rows.insert(0, header);
    aligned::table(&rows, 1)
}

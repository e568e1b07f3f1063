//! What is told of the clusters of a finished run.

use crate::labels::Word;
use crate::results::told::{interval, p_value};
use crate::statistics::grouping::ALL;
use crate::tables::ClusterRow;
use crate::tables::clusters::{ClusterKind, Metric};

/// How well each arm separates the tastes, and how much two arms differ in it.
pub(super) fn separation(clusters: &[ClusterRow], word: &Word) -> String {
    let of_all = |row: &&ClusterRow| {
        row.kind == ClusterKind::Audio && row.pieces_per_taste.is_none() && row.taste == ALL
    };
    let mut text = String::new();
    for row in clusters.iter().filter(of_all) {
        text += &match (row.metric, &row.arm_b) {
            (Metric::Silhouette, _) => format!(
                "{}: {} {:.4}{}{} (n = {})\n",
                row.arm,
                word.said("silhouette of the tastes"),
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

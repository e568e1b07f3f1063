//! What is told of two sets that were compared.

use crate::results::told::{interval, p_value, small};
use crate::statistics::grouping::ALL;
use crate::tables::stats::Kind;
use crate::tables::{DistanceRow, StatsRow};

/// The differences of two sets, item by item.
pub(super) fn paired(stats: &[StatsRow]) -> String {
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
pub(super) fn apart(distances: &[DistanceRow]) -> String {
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

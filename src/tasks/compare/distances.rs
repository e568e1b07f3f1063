//! How far two sets of pieces lie apart as a whole: rows of `distances.csv`.

use analysis::frechet::frechet;
use analysis::kernel::{kernel_distance, kernel_test};
use rayon::prelude::*;

use crate::results::conditions::{Condition, rows_of};
use crate::statistics::grouping::ALL;
use crate::tables::DistanceRow;

/// Pieces of both sets beyond which the kernel distance, which needs every pair of them, is left out: some 0.3 GB of memory
/// for each of the arms and tastes that are computed at once.
const MOST_PAIRED: usize = 5_000;

/// Of the two sets under each arm, over all tastes and then taste by taste. The second set is the kernel's reference.
pub(super) fn distances(
    conditions: &[Condition<'_>],
    tastes: &[&str],
    permutations: usize,
    seed: u64,
) -> Vec<DistanceRow> {
    let of_arms = conditions.chunk_by(|a, b| a.arm == b.arm);
    let pairs = of_arms.filter_map(|sets| match sets {
        [a, b] => Some((a, b)),
        _ => None,
    });
    let each_taste = || std::iter::once(ALL).chain(tastes.iter().copied());
    let work: Vec<_> = pairs
        .flat_map(|(a, b)| each_taste().map(move |taste| (a, b, taste)))
        .collect();
    let rows: Vec<Option<DistanceRow>> = work
        .par_iter()
        .map(|(a, b, taste)| distance(a, b, taste, permutations, seed))
        .collect();
    rows.into_iter().flatten().collect()
}

/// A set of one piece has no distance: its cells stay empty.
fn distance(
    a: &Condition<'_>,
    b: &Condition<'_>,
    taste: &str,
    permutations: usize,
    seed: u64,
) -> Option<DistanceRow> {
    let of = |condition: &Condition<'_>| {
        let pieces = condition.tastes.iter().enumerate();
        let rows: Vec<usize> = pieces
            .filter(|(_, t)| taste == ALL || **t == taste)
            .map(|(i, _)| i)
            .collect();
        rows_of(condition.audio.view(), &rows)
    };
    let (of_a, of_b) = (of(a), of(b));
    if of_a.is_empty() || of_b.is_empty() {
        return None;
    }
    let (set_a, set_b) = (a.set?, b.set?);
    let frechet = frechet(of_a.view(), of_b.view()).ok();
    let few = of_a.nrows() + of_b.nrows() <= MOST_PAIRED;
    let kernel = few
        .then(|| kernel_distance(of_a.view(), of_b.view()).ok())
        .flatten();
    let label = format!("kernel\u{1f}{}\u{1f}{taste}", a.arm);
    let test =
        kernel.and_then(|_| kernel_test(of_a.view(), of_b.view(), permutations, seed, &label).ok());
    Some(DistanceRow {
        arm: a.arm.to_owned(),
        set_a: set_a.to_owned(),
        set_b: set_b.to_owned(),
        taste: taste.to_owned(),
        n_a: of_a.nrows(),
        n_b: of_b.nrows(),
        dimensions: of_a.ncols(),
        frechet: frechet.map(|f| f.distance),
        kernel: kernel.map(|k| k.distance),
        kernel_p: test.map(|test| test.p),
        small_sample: frechet.is_some_and(|f| f.small_sets()),
    })
}

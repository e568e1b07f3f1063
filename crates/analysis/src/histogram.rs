//! The histogram of the cosines of every two pieces of large sets.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::matrix::unit_rows;

/// Fewest and most bins.
pub const BINS: std::ops::RangeInclusive<usize> = 8..=40;
/// Bins over -1 to 1 in which cosines are counted before the scale is chosen.
const FINE: usize = 4_000;
/// Pieces compared with the rest at a time.
const BLOCK: usize = 128;

/// Counts in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Bin i reaches from edge i to edge i + 1; the last one has both its ends.
    pub edges: Vec<f64>,
    /// `[sets, bins]`.
    pub counts: Vec<Vec<u64>>,
}

/// The cosines of every two pieces of each of `sets` `[pieces, dimensions]`, counted on one scale. A set of one piece has
/// no pair. `None` when no set has a pair, or a value is not finite.
///
/// All pairs are counted, in bins of 1/2000 from -1 to 1 first, of which those of the histogram are made: nothing is drawn,
/// and no more than some rows of cosines is in memory. Edges are multiples of 1/2000 therefore.
pub fn cosine_histogram(sets: &[ArrayView2<'_, f32>]) -> Option<Histogram> {
    let fine = sets
        .iter()
        .map(|set| fine(*set))
        .collect::<Option<Vec<_>>>()?;
    coarser(&fine)
}

/// Cosines of every two pieces in bins of 1/2000, `[FINE]`.
fn fine(embeddings: ArrayView2<'_, f32>) -> Option<Vec<u64>> {
    if embeddings.nrows() < 2 {
        return Some(vec![0; FINE]);
    }
    // In f32: a cosine is off by 1e-7 at most, a bin is 5e-4 wide, and it takes half the time.
    let rows = unit_rows(embeddings)?.mapv(|value| value as f32);
    let blocks: Vec<_> = rows.axis_chunks_iter(Axis(0), BLOCK).collect();
    let count = |block: usize| {
        let mut counts = vec![0_u64; FINE];
        let first = block * BLOCK;
        let others = rows.slice(ndarray::s![first.., ..]);
        let cosines = blocks[block].dot(&others.t());
        for (i, row) in cosines.rows().into_iter().enumerate() {
            for &cosine in row.iter().skip(i + 1) {
                let place = (cosine + 1.0) * (FINE / 2) as f32;
                counts[(place as usize).min(FINE - 1)] += 1;
            }
        }
        counts
    };
    let add = |mut x: Vec<u64>, y: Vec<u64>| {
        x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
        x
    };
    let counted = (0..blocks.len()).into_par_iter().map(count);
    Some(counted.reduce(|| vec![0; FINE], add))
}

/// The same counts in 8 to 40 bins, each of as many fine ones: those of Freedman and Diaconis for all sets together.
fn coarser(sets: &[Vec<u64>]) -> Option<Histogram> {
    let fine: Vec<u64> = (0..FINE)
        .map(|i| sets.iter().map(|set| set[i]).sum())
        .collect();
    let first = fine.iter().position(|&count| count > 0)?;
    let last = fine.iter().rposition(|&count| count > 0)?;
    let all: u64 = fine.iter().sum();
    let reached = |share: f64| {
        let mut sum = 0;
        let below = fine.iter().take_while(|&&count| {
            sum += count;
            (sum as f64) < share * all as f64
        });
        below.count() as f64
    };
    let occupied = last + 1 - first;
    let width = 2.0 * (reached(0.75) - reached(0.25)) / (all as f64).cbrt();
    let wished = ((occupied as f64 / width).ceil() as usize).clamp(*BINS.start(), *BINS.end());
    let each = occupied.div_ceil(wished);
    // A narrow set still has the fewest bins, around it.
    let bins = occupied.div_ceil(each).max(*BINS.start());
    let spare = bins * each - occupied;
    let start = first
        .saturating_sub(spare / 2)
        .min(fine.len().saturating_sub(bins * each));
    // Where cosines reach from end to end, the last bin is narrower.
    let place = |i: usize| (start + i * each).min(FINE);
    let edge = |i: usize| place(i) as f64 / (FINE / 2) as f64 - 1.0;
    let of_bin = |set: &Vec<u64>, i: usize| set[place(i)..place(i + 1)].iter().sum();
    let binned = |set: &Vec<u64>| (0..bins).map(|i| of_bin(set, i)).collect();
    Some(Histogram {
        edges: (0..=bins).map(edge).collect(),
        counts: sets.iter().map(binned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};
    use ndarray::Array2;

    #[test]
    fn every_pair_is_counted_once() {
        let (rows, _) = clouds(3, 100, 16, 0.6, 1);
        let found = cosine_histogram(&[rows.view()]).unwrap();
        assert_eq!(found.counts[0].iter().sum::<u64>(), 300 * 299 / 2);
        assert!(BINS.contains(&found.counts[0].len()));
        let unit = unit_rows(rows.view()).unwrap();
        let cosines = unit.dot(&unit.t());
        let (low, high) = (found.edges[3], found.edges[4]);
        let slow = (0..300).flat_map(|i| (0..i).map(move |j| (i, j)));
        let slow = slow.filter(|&(i, j)| low <= cosines[[i, j]] && cosines[[i, j]] < high);
        assert!(slow.count().abs_diff(found.counts[0][3] as usize) <= 2);
        same_on_any_threads(|| cosine_histogram(&[rows.view()]));
    }

    #[test]
    fn cosines_from_end_to_end_fit() {
        // 4,000 occupied bins, and 39 that are wished for: 39 x 103 are more than there are.
        let mut wide = vec![1_u64; FINE];
        wide[FINE / 2] = 10_000;
        for spread in [1, 2, 3, 5, 9] {
            let set: Vec<u64> = wide.iter().map(|count| count * spread).collect();
            let found = coarser(std::slice::from_ref(&set)).unwrap();
            assert_eq!(found.counts[0].iter().sum::<u64>(), set.iter().sum::<u64>());
            assert_eq!((found.edges[0], *found.edges.last().unwrap()), (-1.0, 1.0));
        }
    }

    #[test]
    fn the_cosines_of_two_sets_share_one_scale() {
        let (near, _) = clouds(1, 60, 16, 0.2, 6);
        let (wide, _) = clouds(1, 40, 16, 1.0, 7);
        let both = cosine_histogram(&[near.view(), wide.view()]).unwrap();
        let pairs: Vec<u64> = both
            .counts
            .iter()
            .map(|counts| counts.iter().sum())
            .collect();
        assert_eq!(pairs, [60 * 59 / 2, 40 * 39 / 2]);
        assert!(
            both.counts
                .iter()
                .all(|counts| counts.len() + 1 == both.edges.len())
        );
    }

    #[test]
    fn equal_and_opposite_pieces_stand_at_the_ends() {
        let equal = Array2::from_elem((4, 3), 0.2_f32);
        let found = cosine_histogram(&[equal.view()]).unwrap();
        assert_eq!((found.counts[0].len(), found.counts[0][7]), (8, 6));
        assert_eq!(*found.edges.last().unwrap(), 1.0);
        let opposite = ndarray::array![[1.0_f32, 0.0], [-1.0, 0.0]];
        let found = cosine_histogram(&[opposite.view()]).unwrap();
        assert_eq!((found.edges[0], found.counts[0][0]), (-1.0, 1));
        assert_eq!(
            cosine_histogram(&[opposite.slice(ndarray::s![..1, ..])]),
            None
        );
    }
}

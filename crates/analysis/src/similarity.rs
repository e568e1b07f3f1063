//! Mean cosines between groups of embeddings, and the cosine distances within and between groups that follow from them.
//!
//! The mean cosine of two groups is the product of their mean rows (of length 1), so no pair of pieces is looked at.

use ndarray::{Array2, ArrayView2};

use super::groups::sizes;
use super::matrix::unit_rows;
use super::silhouette::group_sums;

/// `[groups, groups]`: the mean cosine of the pieces of one group with those of another; of a group with itself without a piece's
/// cosine with itself, hence `None` for a group of one (and for one without pieces). `None` when `groups` is not one number
/// for each row of `embeddings` `[pieces, dimensions]`, or for a value that is not finite.
pub fn group_similarity(
    embeddings: ArrayView2<'_, f32>,
    groups: &[usize],
) -> Option<Array2<Option<f64>>> {
    let pairs = GroupPairs::of(embeddings, groups)?;
    let count = pairs.counts.len();
    Some(Array2::from_shape_fn((count, count), |(a, b)| {
        pairs.mean(a, b)
    }))
}

/// `[groups of a, groups of b]`: the mean cosine of each group of `a` `[pieces, dimensions]` with each group of `b`
/// `[texts, dimensions]`, as of pieces with the prompts of a taste; `None` as above.
pub fn cross_similarity(
    a: ArrayView2<'_, f32>,
    groups_a: &[usize],
    b: ArrayView2<'_, f32>,
    groups_b: &[usize],
) -> Option<Array2<Option<f64>>> {
    if a.ncols() != b.ncols() {
        return None;
    }
    let (sizes_a, sizes_b) = (sizes(groups_a, a.nrows())?, sizes(groups_b, b.nrows())?);
    let sums_a = group_sums(&unit_rows(a)?, groups_a, sizes_a.len());
    let sums_b = group_sums(&unit_rows(b)?, groups_b, sizes_b.len());
    let sums = sums_a.dot(&sums_b.t());
    Some(Array2::from_shape_fn(sums.dim(), |(i, j)| {
        mean_of(sums[[i, j]], (sizes_a[i] * sizes_b[j]) as f64)
    }))
}

/// Mean cosine distances, 1 less the cosine, between pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupDistances {
    /// Of every two pieces of one group, `[groups]`; `None` for fewer than two.
    pub intra: Vec<Option<f64>>,
    /// Of the pieces of a group and all others, `[groups]`; `None` where there are none.
    pub inter: Vec<Option<f64>>,
    /// Over all pairs of one group: a large group has more of them.
    pub intra_mean: Option<f64>,
    /// Over all pairs of two groups.
    pub inter_mean: Option<f64>,
}

/// The mean distances within and between the groups of `embeddings`; `None` as for [`group_similarity`].
pub fn group_distances(
    embeddings: ArrayView2<'_, f32>,
    groups: &[usize],
) -> Option<GroupDistances> {
    let pairs = GroupPairs::of(embeddings, groups)?;
    let count = pairs.counts.len();
    let distance = |(sum, pairs)| mean_of(sum, pairs).map(|cosine| (1.0 - cosine).max(0.0));
    let add = |x: (f64, f64), y: (f64, f64)| (x.0 + y.0, x.1 + y.1);
    let within = |a: usize| pairs.within(a);
    let across = |a: usize| {
        let others = (0..count).filter(|&b| b != a);
        others.map(|b| pairs.across(a, b)).fold((0.0, 0.0), add)
    };
    Some(GroupDistances {
        intra: (0..count).map(|a| distance(within(a))).collect(),
        inter: (0..count).map(|a| distance(across(a))).collect(),
        intra_mean: distance((0..count).map(within).fold((0.0, 0.0), add)),
        inter_mean: distance((0..count).map(across).fold((0.0, 0.0), add)),
    })
}

fn mean_of(sum: f64, count: f64) -> Option<f64> {
    (count > 0.0).then(|| (sum / count).clamp(-1.0, 1.0))
}

/// Sums of cosines over the pairs of pieces of two groups, with how many pairs there are.
struct GroupPairs {
    counts: Vec<f64>,
    /// `[groups, groups]`, a piece with itself included.
    sums: Array2<f64>,
    /// Of the cosines of a piece with itself.
    own: Vec<f64>,
}

impl GroupPairs {
    fn of(embeddings: ArrayView2<'_, f32>, groups: &[usize]) -> Option<Self> {
        let sizes = sizes(groups, embeddings.nrows())?;
        let rows = unit_rows(embeddings)?;
        let sums = group_sums(&rows, groups, sizes.len());
        let mut own = vec![0.0; sizes.len()];
        for (row, &group) in rows.rows().into_iter().zip(groups) {
            own[group] += row.dot(&row);
        }
        let counts = sizes.iter().map(|&size| size as f64).collect();
        Some(Self {
            counts,
            sums: sums.dot(&sums.t()),
            own,
        })
    }

    fn within(&self, a: usize) -> (f64, f64) {
        let n = self.counts[a];
        (self.sums[[a, a]] - self.own[a], n * (n - 1.0))
    }

    fn across(&self, a: usize, b: usize) -> (f64, f64) {
        (self.sums[[a, b]], self.counts[a] * self.counts[b])
    }

    fn mean(&self, a: usize, b: usize) -> Option<f64> {
        let (sum, count) = if a == b {
            self.within(a)
        } else {
            self.across(a, b)
        };
        mean_of(sum, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::clouds;
    use ndarray::array;

    #[test]
    fn groups_of_one_have_no_pairs_of_their_own() {
        let rows = array![[1.0_f32, 0.0], [0.0, 2.0], [0.6, 0.8]];
        let found = group_similarity(rows.view(), &[0, 0, 2]).unwrap();
        assert_eq!(found[[0, 0]], Some(0.0));
        assert!((found[[0, 2]].unwrap() - 0.7).abs() < 1e-7);
        assert_eq!(
            (found[[2, 2]], found[[1, 0]], found[[1, 1]]),
            (None, None, None)
        );
        let distances = group_distances(rows.view(), &[0, 0, 2]).unwrap();
        assert_eq!((distances.intra[0], distances.intra[2]), (Some(1.0), None));
        assert!((distances.inter_mean.unwrap() - 0.3).abs() < 1e-7);
        assert_eq!(distances.inter[0], distances.inter[2]);
    }

    #[test]
    fn one_group_has_nothing_between_and_equal_pieces_nothing_within() {
        let (rows, groups) = clouds(1, 5, 8, 0.0, 1);
        let found = group_distances(rows.view(), &groups).unwrap();
        assert!(found.intra_mean.unwrap() < 1e-12);
        assert_eq!((found.inter_mean, found.inter[0]), (None, None));
        assert_eq!(group_similarity(rows.view(), &[0, 1]), None);
    }

    #[test]
    fn a_set_against_itself_counts_every_pair() {
        let (rows, groups) = clouds(2, 3, 8, 0.5, 2);
        let own = group_similarity(rows.view(), &groups).unwrap();
        let cross = cross_similarity(rows.view(), &groups, rows.view(), &groups).unwrap();
        assert_eq!(own[[0, 1]], cross[[0, 1]]);
        // 6 pairs of different pieces and 3 of one with itself.
        let expected = (6.0 * own[[0, 0]].unwrap() + 3.0) / 9.0;
        assert!((cross[[0, 0]].unwrap() - expected).abs() < 1e-12);
        assert_eq!(
            cross_similarity(rows.view(), &groups, array![[1.0]].view(), &[0]),
            None
        );
    }
}

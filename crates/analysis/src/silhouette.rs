//! Silhouettes: how much nearer pieces lie to their own group than to the next one, by cosine distance.
//!
//! P. Rousseeuw, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis (1987);
//! `sklearn.metrics.silhouette_samples(metric="cosine")`. The mean cosine distance of a piece x to a group is
//! 1 - x . (mean of the group), so no pair of pieces is looked at: 5,000 pieces take milliseconds.

use ndarray::{Array2, ArrayView2, Axis};

use super::groups::comparable;
use super::matrix::{product, unit_rows};
use super::mean::mean;

/// Mean distances below this are rounding: 0.
const ROUNDING: f64 = 1e-12;

/// How well the groups are apart, from -1 (every piece lies nearer to another group) to 1 (groups are points, and apart).
#[derive(Debug, Clone, PartialEq)]
pub struct Silhouette {
    /// Over all pieces.
    pub mean: f64,
    /// Over the pieces of each group, `[groups]`; `None` for a group without pieces.
    pub by_group: Vec<Option<f64>>,
    /// Of each piece, `[pieces]`: (b - a) / max(a, b), with a the mean distance to the others of its group and b that to the
    /// nearest other group. 0 for a piece that is alone in its group, and where both are 0.
    pub by_piece: Vec<f64>,
}

/// The silhouettes of `embeddings` `[pieces, dimensions]` in `groups`. `None` for one group, for groups of one piece only,
/// for another number of groups' entries than pieces, and for a value that is not finite.
pub fn silhouette(embeddings: ArrayView2<'_, f32>, groups: &[usize]) -> Option<Silhouette> {
    let sizes = comparable(groups, embeddings.nrows())?;
    let rows = unit_rows(embeddings)?;
    let sums = group_sums(&rows, groups, sizes.len());
    let similarities = product(rows.view(), sums.view());
    let counts: Vec<f64> = sizes.iter().map(|&size| size as f64).collect();
    let own: Vec<f64> = rows.rows().into_iter().map(|row| row.dot(&row)).collect();
    let by_piece: Vec<f64> = (0..groups.len())
        .map(|i| {
            let of = Place {
                group: groups[i],
                copies: 1.0,
                own: own[i],
            };
            of.silhouette(&counts, |group| similarities[[i, group]])
        })
        .collect();
    let of_group = |group: usize| {
        let pieces = groups.iter().zip(&by_piece).filter(|(g, _)| **g == group);
        mean(&pieces.map(|(_, s)| *s).collect::<Vec<_>>())
    };
    Some(Silhouette {
        mean: mean(&by_piece)?,
        by_group: (0..sizes.len()).map(of_group).collect(),
        by_piece,
    })
}

/// The sum of the rows of each group, `[groups, dimensions]`.
pub(super) fn group_sums(rows: &Array2<f64>, groups: &[usize], count: usize) -> Array2<f64> {
    let mut sums = Array2::zeros((count, rows.ncols()));
    for (row, &group) in rows.axis_iter(Axis(0)).zip(groups) {
        let mut sum = sums.row_mut(group);
        sum += &row;
    }
    sums
}

/// One piece among groups whose pieces may count several times or not at all.
pub(super) struct Place {
    pub group: usize,
    /// How often the piece counts.
    pub copies: f64,
    /// The piece times itself: 1, or 0 for an embedding of zeros.
    pub own: f64,
}

impl Place {
    /// The silhouette of the piece. `counts`: how many pieces, with copies, each group has; `similarity`: the sum of the
    /// piece's cosines with those of a group. Copies of the piece itself are not among its neighbours.
    pub fn silhouette(&self, counts: &[f64], similarity: impl Fn(usize) -> f64) -> f64 {
        let others = counts[self.group] - self.copies;
        if others <= 0.0 {
            return 0.0;
        }
        let theirs = similarity(self.group) - self.copies * self.own;
        let inside = mean_distance(others, theirs);
        let outside = counts.iter().enumerate();
        let outside = outside
            .filter(|&(group, &count)| group != self.group && count > 0.0)
            .map(|(group, &count)| mean_distance(count, similarity(group)))
            .fold(f64::INFINITY, f64::min);
        let most = inside.max(outside);
        if most > 0.0 && most.is_finite() {
            (outside - inside) / most
        } else {
            0.0
        }
    }
}

fn mean_distance(count: f64, similarity: f64) -> f64 {
    let distance = 1.0 - similarity / count;
    if distance < ROUNDING { 0.0 } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};

    #[test]
    fn groups_apart_are_near_1_and_mixed_ones_near_0() {
        let (rows, groups) = clouds(4, 25, 64, 0.1, 1);
        assert!(silhouette(rows.view(), &groups).unwrap().mean > 0.9);
        let mixed: Vec<usize> = (0..100).map(|i| i % 4).collect();
        assert!(silhouette(rows.view(), &mixed).unwrap().mean < 0.0);
        same_on_any_threads(|| silhouette(rows.view(), &groups));
    }

    #[test]
    fn one_group_or_groups_of_one_say_nothing() {
        let (rows, _) = clouds(1, 4, 8, 1.0, 2);
        assert_eq!(silhouette(rows.view(), &[0; 4]), None);
        assert_eq!(silhouette(rows.view(), &[0, 1, 2, 3]), None);
        assert_eq!(silhouette(rows.view(), &[0, 1]), None);
        let alone = silhouette(rows.view(), &[0, 0, 0, 2]).unwrap();
        assert_eq!((alone.by_piece[3], alone.by_group[1]), (0.0, None));
    }

    #[test]
    fn equal_pieces_are_apart_from_others_and_not_from_each_other() {
        let equal = Array2::from_elem((6, 7), 0.3_f32);
        let none = silhouette(equal.view(), &[0, 0, 0, 1, 1, 1]).unwrap();
        assert_eq!((none.mean, none.by_piece), (0.0, vec![0.0; 6]));
        let texts = Array2::from_shape_fn((6, 7), |(i, j)| if i / 3 == j { 0.7_f32 } else { 0.1 });
        let one = silhouette(texts.view(), &[0, 0, 0, 1, 1, 1]).unwrap();
        assert_eq!(one.mean, 1.0);
    }
}

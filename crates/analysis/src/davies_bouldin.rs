//! The Davies-Bouldin index: how wide groups are for their distance from each other; lower is better apart.
//!
//! D. Davies and D. Bouldin, A cluster separation measure (1979); `sklearn.metrics.davies_bouldin_score`, on rows of length 1.

use ndarray::{Array1, ArrayView2, Axis};

use super::groups::comparable;
use super::matrix::unit_rows;
use super::mean::mean;
use super::silhouette::group_sums;

/// Centroids nearer than this are one: the index is infinite then.
const ROUNDING: f64 = 1e-12;

/// The mean over groups of the largest (width + width of another) / (distance of their centroids), widths being mean Euclidean
/// distances from the centroid. `None` for one group, for groups of one piece only, for a value that is not finite, and for
/// two groups about the same point (where scikit-learn leaves the pair out, and says 0 if all are).
pub fn davies_bouldin(embeddings: ArrayView2<'_, f32>, groups: &[usize]) -> Option<f64> {
    let sizes = comparable(groups, embeddings.nrows())?;
    let rows = unit_rows(embeddings)?;
    let sums = group_sums(&rows, groups, sizes.len());
    let length = |v: Array1<f64>| v.dot(&v).sqrt();
    let centre = |group: usize| &sums.row(group) / sizes[group] as f64;
    let filled: Vec<usize> = (0..sizes.len()).filter(|&g| sizes[g] > 0).collect();
    let centres: Vec<Array1<f64>> = filled.iter().map(|&group| centre(group)).collect();
    let width = |(&group, centre): (&usize, &Array1<f64>)| {
        let pieces = rows
            .axis_iter(Axis(0))
            .zip(groups)
            .filter(|(_, g)| **g == group);
        let total: f64 = pieces.map(|(row, _)| length(&row - centre)).sum();
        total / sizes[group] as f64
    };
    let widths: Vec<f64> = filled.iter().zip(&centres).map(width).collect();
    let worst: Option<Vec<f64>> = (0..filled.len())
        .map(|i| {
            let others = (0..filled.len()).filter(|&j| j != i);
            others
                .map(|j| {
                    let apart = length(&centres[i] - &centres[j]);
                    (apart > ROUNDING).then(|| (widths[i] + widths[j]) / apart)
                })
                .try_fold(0.0_f64, |most, ratio| ratio.map(|ratio| most.max(ratio)))
        })
        .collect();
    mean(&worst?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::clouds;

    #[test]
    fn tight_groups_have_a_low_index_and_points_have_0() {
        let (tight, groups) = clouds(3, 10, 16, 0.05, 1);
        let (wide, _) = clouds(3, 10, 16, 1.0, 1);
        let index = |rows: &ndarray::Array2<f32>| davies_bouldin(rows.view(), &groups).unwrap();
        assert!(index(&tight) < 0.2 && index(&tight) < index(&wide));
        let (points, _) = clouds(3, 10, 16, 0.0, 1);
        assert!(index(&points) < 1e-6);
    }

    #[test]
    fn groups_about_one_point_have_none() {
        let equal = ndarray::Array2::from_elem((6, 4), 0.5_f32);
        assert_eq!(davies_bouldin(equal.view(), &[0, 0, 0, 1, 1, 1]), None);
        assert_eq!(davies_bouldin(equal.view(), &[0; 6]), None);
    }
}

//! Principal components.
//!
//! K. Pearson, On lines and planes of closest fit (1901); `sklearn.decomposition.PCA`, whose rule for the signs is followed:
//! in every component the loading of the largest magnitude is positive.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::matrix::{centred, finite, product};

/// Rounds of the eigenvalue iteration, of which one value takes about two.
const MOST_ROUNDS: usize = 100_000;

/// The first components of some embeddings, the largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// `[pieces, components]`: each centred piece along each component.
    pub scores: Array2<f64>,
    /// `[components, dimensions]`, rows of length 1.
    pub components: Array2<f64>,
    /// `[dimensions]`: what was taken off before.
    pub mean: Array1<f64>,
    /// The share of the whole variance that each component holds, 0 to 1.
    pub explained_variance_ratio: Vec<f64>,
}

/// The first `k` components of `embeddings` `[pieces, dimensions]`, or all there are when the rank of the centred embeddings
/// is less. `None` without spread (so also for fewer than two pieces), for k = 0, or for a value that is not finite.
pub fn pca(embeddings: ArrayView2<'_, f32>, k: usize) -> Option<Pca> {
    pca_of(finite(embeddings)?, k)
}

/// From the eigenvectors of the smaller of the two Gram matrices: `[dimensions, dimensions]`, or `[pieces, pieces]`.
pub(super) fn pca_of(rows: Array2<f64>, k: usize) -> Option<Pca> {
    let scale = rows.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let (rows, mean) = centred(rows);
    let (n, d) = rows.dim();
    let gram = if d <= n {
        product(rows.t(), rows.t())
    } else {
        product(rows.view(), rows.view())
    };
    let whole: f64 = gram.diag().sum();
    // What rounding leaves of equal pieces is no spread.
    if whole <= (n * d) as f64 * (scale * f64::EPSILON).powi(2) {
        return None;
    }
    let (values, vectors) = eigen(&gram)?;
    let least = values.first()? * n.max(d) as f64 * f64::EPSILON;
    let rank = values.iter().take_while(|&&value| value > least).count();
    let kept = rank.min(k);
    if kept == 0 {
        return None;
    }
    let vectors = vectors.slice(s![..kept, ..]);
    let mut components = if d <= n {
        vectors.to_owned()
    } else {
        let mut components = vectors.dot(&rows);
        for (mut component, value) in components.rows_mut().into_iter().zip(&values) {
            component /= value.sqrt();
        }
        components
    };
    for mut component in components.rows_mut() {
        let largest =
            component.iter().copied().fold(
                0.0_f64,
                |most, v| {
                    if v.abs() > most.abs() { v } else { most }
                },
            );
        if largest < 0.0 {
            component.mapv_inplace(|v| -v);
        }
    }
    Some(Pca {
        scores: product(rows.view(), components.view()),
        components,
        mean,
        explained_variance_ratio: values[..kept].iter().map(|value| value / whole).collect(),
    })
}

/// Eigenvalues of a symmetric matrix, the largest first, and their vectors as rows.
fn eigen(matrix: &Array2<f64>) -> Option<(Vec<f64>, Array2<f64>)> {
    let n = matrix.nrows();
    let symmetric = DMatrix::from_fn(n, n, |i, j| matrix[[i, j]]);
    let found = SymmetricEigen::try_new(symmetric, f64::EPSILON, MOST_ROUNDS)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| found.eigenvalues[j].total_cmp(&found.eigenvalues[i]));
    let values = order.iter().map(|&i| found.eigenvalues[i]).collect();
    let rows = Array2::from_shape_fn((n, n), |(row, j)| found.eigenvectors[(j, order[row])]);
    Some((values, rows))
}

/// The first two columns of the scores, zeros where there is only one component: `[pieces, 2]`.
pub(super) fn plane(scores: &Array2<f64>) -> Array2<f64> {
    let mut plane = Array2::zeros((scores.nrows(), 2));
    for (mut column, scores) in plane.axis_iter_mut(Axis(1)).zip(scores.axis_iter(Axis(1))) {
        column.assign(&scores);
    }
    plane
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};

    #[test]
    fn wide_and_tall_embeddings_have_the_same_components() {
        let (rows, _) = clouds(3, 20, 10, 0.4, 2);
        let tall = pca(rows.view(), 4).unwrap();
        // Zeros beside them change nothing, but there are more dimensions than pieces then.
        let mut wide = Array2::zeros((60, 80));
        wide.slice_mut(s![.., ..10]).assign(&rows);
        let wide = pca(wide.view(), 4).unwrap();
        let off = (&tall.scores - &wide.scores).mapv(f64::abs);
        assert!(off.iter().all(|&d| d < 1e-9), "{off:?}");
        same_on_any_threads(|| pca(rows.view(), 4));
    }

    #[test]
    fn components_end_at_the_rank() {
        let (rows, _) = clouds(1, 5, 16, 1.0, 3);
        let all = pca(rows.view(), 50).unwrap();
        assert_eq!(all.scores.dim(), (5, 4));
        let sum: f64 = all.explained_variance_ratio.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9);
        let line = ndarray::array![[0.0_f32, 0.0], [1.0, 2.0], [2.0, 4.0]];
        assert_eq!(pca(line.view(), 2).unwrap().components.nrows(), 1);
    }

    #[test]
    fn no_spread_has_no_component() {
        assert_eq!(pca(Array2::from_elem((6, 3), 0.1_f32).view(), 2), None);
        assert_eq!(pca(Array2::from_elem((1, 3), 0.1_f32).view(), 2), None);
        assert_eq!(pca(ndarray::array![[1.0_f32, f32::NAN]].view(), 2), None);
    }
}

//! Fréchet distance of two sets of embeddings, as of two normal distributions with their means and covariances.
//!
//! D. Dowson and B. Landau, The Fréchet distance between multivariate normal distributions (1982); as Fréchet audio
//! distance: K. Kilgour et al., Fréchet Audio Distance: a metric for evaluating music enhancement algorithms (2019).
//!
//! |mu_a - mu_b|^2 + tr(C_a) + tr(C_b) - 2 tr((C_a C_b)^(1/2)). With A and B the centred sets over sqrt(n - 1), C_a = A'A, and
//! the last trace is the sum of the singular values of A B', `[n_a, n_b]`: C_a C_b has the eigenvalues of (A B')(A B')', their
//! squares. So no square root of a matrix is taken, and nothing complex or negative can come out of one.

use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2};
use thiserror::Error;

use super::matrix::{centred, finite};

const MOST_ROUNDS: usize = 100_000;

/// A Fréchet distance, and what it was taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frechet {
    /// The distance, which is squared by its definition, in squared units of the embeddings; 0 or more.
    pub distance: f64,
    pub n_a: usize,
    pub n_b: usize,
    pub dimensions: usize,
}

/// A set with fewer pieces than this many times the dimensions makes the distance too large.
pub const ENOUGH: usize = 10;

impl Frechet {
    /// Whether a set is small for its dimensions. The distance is biased upward then, the more so the smaller the set, and may
    /// be compared only with distances of sets of the same sizes: M. Chong and D. Forsyth, Effectively unbiased FID and
    /// Inception Score and where to find them (2020).
    pub fn small_sets(&self) -> bool {
        self.n_a.min(self.n_b) < ENOUGH * self.dimensions
    }
}

/// Why two sets have no Fréchet distance.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FrechetError {
    #[error("sets of {n_a} and {n_b} pieces: a covariance needs at least two")]
    TooFew { n_a: usize, n_b: usize },
    #[error("embeddings of {a} and of {b} dimensions cannot be compared")]
    Dimensions { a: usize, b: usize },
    #[error("an embedding holds a value that is not finite")]
    NotFinite,
    #[error("the singular values did not converge")]
    NoConvergence,
}

/// The distance of `a` `[n_a, d]` and `b` `[n_b, d]`, covariances with n - 1 as numpy's.
pub fn frechet(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Result<Frechet, FrechetError> {
    let ((n_a, d), (n_b, d_b)) = (a.dim(), b.dim());
    if d != d_b {
        return Err(FrechetError::Dimensions { a: d, b: d_b });
    }
    if n_a < 2 || n_b < 2 {
        return Err(FrechetError::TooFew { n_a, n_b });
    }
    let set = |m| Some(centred(finite(m)?));
    let (a, mean_a) = set(a).ok_or(FrechetError::NotFinite)?;
    let (b, mean_b) = set(b).ok_or(FrechetError::NotFinite)?;
    let (a, trace_a) = factor(&a);
    let (b, trace_b) = factor(&b);
    let shared = a * b.transpose();
    let values = shared
        .try_svd(false, false, f64::EPSILON, MOST_ROUNDS)
        .ok_or(FrechetError::NoConvergence)?
        .singular_values;
    let apart = mean_a - mean_b;
    let distance = apart.dot(&apart) + trace_a + trace_b - 2.0 * values.sum();
    Ok(Frechet {
        distance: distance.max(0.0),
        n_a,
        n_b,
        dimensions: d,
    })
}

/// A matrix of at most d rows whose product with itself is the covariance, and the covariance's trace. The singular values
/// do not change when a set of more rows is replaced by the triangle of its QR decomposition.
fn factor(rows: &Array2<f64>) -> (DMatrix<f64>, f64) {
    let scale = 1.0 / ((rows.nrows() - 1) as f64).sqrt();
    let (n, d) = rows.dim();
    let mut factor = DMatrix::from_fn(n, d, |i, j| rows[[i, j]] * scale);
    let trace = factor.norm_squared();
    if n > d {
        factor = factor.qr().unpack_r();
    }
    (factor, trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};
    use ndarray::{array, s};

    #[test]
    fn a_set_is_at_0_from_itself_and_from_its_other_order() {
        for (n, d) in [(6, 20), (60, 8), (100, 512)] {
            let (rows, _) = clouds(1, n, d, 1.0, 1);
            let backward = rows.slice(s![..;-1, ..]);
            for other in [rows.view(), backward] {
                let found = frechet(rows.view(), other).unwrap();
                assert!(found.distance < 1e-12, "{found:?}");
            }
            same_on_any_threads(|| frechet(rows.view(), rows.view()));
        }
    }

    #[test]
    fn a_shift_is_its_square_and_a_stretch_that_of_the_deviations() {
        let a = array![[0.0_f32], [1.0], [2.0], [3.0]];
        let shifted = frechet(a.view(), a.mapv(|v| v + 2.0).view()).unwrap();
        assert!((shifted.distance - 4.0).abs() < 1e-12);
        // Deviations s and 3 s, means 1.5 and 4.5, s^2 = 5 / 3.
        let stretched = frechet(a.view(), a.mapv(|v| 3.0 * v).view()).unwrap();
        assert!((stretched.distance - (9.0 + 4.0 * 5.0 / 3.0)).abs() < 1e-12);
        assert!(stretched.small_sets());
    }

    #[test]
    fn symmetric_and_without_caution_for_large_sets() {
        let (a, _) = clouds(2, 50, 4, 0.5, 2);
        let (b, _) = clouds(3, 30, 4, 0.5, 3);
        let (ab, ba) = (
            frechet(a.view(), b.view()).unwrap(),
            frechet(b.view(), a.view()).unwrap(),
        );
        assert!((ab.distance - ba.distance).abs() < 1e-12 && ab.distance > 0.01);
        assert!(!ab.small_sets());
    }

    #[test]
    fn equal_pieces_have_a_distance_and_single_ones_none() {
        let point = |v: f32| Array2::from_elem((3, 2), v);
        let found = frechet(point(0.0).view(), point(1.0).view()).unwrap();
        assert_eq!(found.distance, 2.0);
        let one = array![[0.0_f32, 0.0]];
        let error = frechet(one.view(), point(1.0).view()).unwrap_err();
        assert_eq!(error, FrechetError::TooFew { n_a: 1, n_b: 3 });
        let error = frechet(array![[1.0_f32], [2.0]].view(), point(1.0).view()).unwrap_err();
        assert_eq!(error, FrechetError::Dimensions { a: 1, b: 2 });
        assert_eq!(
            frechet(point(f32::NAN).view(), point(1.0).view()),
            Err(FrechetError::NotFinite)
        );
    }
}

//! Kernel audio distance: how far two sets of embeddings are apart, without assuming normal distributions, and without the bias of
//! the Fréchet distance in small sets.
//!
//! Y. Chung et al., KAD: No more FAD! An effective and efficient evaluation metric for audio generation (2025): the unbiased
//! estimate of the squared maximum mean discrepancy (A. Gretton et al., A kernel two-sample test, 2012, equation 3) with
//! the kernel exp(-|x - y|^2 / (2 s^2)), whose bandwidth s is the median distance of two pieces of the reference set.
//!
//! Being unbiased it often comes out slightly below 0 when both sets are drawn alike: that is no error, and is not clamped.
//! kadtk, the authors' program, multiplies by 100, adds 1e-8 to 2 s^2, and takes the lower of two middle distances as the
//! median; here there is no factor, and the median is numpy's. Values of other reference sets have other bandwidths: compare
//! within one reference set.

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;
use thiserror::Error;

use super::matrix::{finite, squared_distances};
use super::separation::Permuted;
use super::streams::{part, shuffle, stream};

/// Permutations whose sums are taken in one product.
const BATCH: usize = 64;
const ROUNDING: f64 = 1e-12;

/// A kernel distance, and what it was taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KernelDistance {
    /// The squared maximum mean discrepancy, of which 2 is the most; may be slightly below 0.
    pub distance: f64,
    /// Of the kernel, in the unit of the embeddings.
    pub bandwidth: f64,
    pub n: usize,
    pub n_reference: usize,
}

/// Why two sets have no kernel distance.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum KernelError {
    #[error("sets of {n} and {n_reference} pieces: the kernel distance needs at least two of each")]
    TooFew { n: usize, n_reference: usize },
    #[error("embeddings of {a} and of {b} dimensions cannot be compared")]
    Dimensions { a: usize, b: usize },
    #[error("an embedding holds a value that is not finite")]
    NotFinite,
    #[error(
        "most pieces of the reference set are equal: its median distance, the kernel's bandwidth, is 0"
    )]
    NoBandwidth,
}

/// The distance of `set` `[n, dimensions]` from `reference` `[n_reference, dimensions]`.
pub fn kernel_distance(
    set: ArrayView2<'_, f32>,
    reference: ArrayView2<'_, f32>,
) -> Result<KernelDistance, KernelError> {
    let (set, reference) = checked(set, reference)?;
    let within_reference = squared_distances(reference.view(), reference.view());
    let bandwidth = bandwidth(&within_reference)?;
    let kernel = |mut squared: Array2<f64>| {
        squared.par_mapv_inplace(|d| (-d / (2.0 * bandwidth * bandwidth)).exp());
        squared
    };
    let inside = |kernel: Array2<f64>| {
        let n = kernel.nrows() as f64;
        (sum(&kernel) - kernel.diag().sum()) / (n * (n - 1.0))
    };
    let across = kernel(squared_distances(set.view(), reference.view()));
    let pairs = across.len() as f64;
    let distance = inside(kernel(squared_distances(set.view(), set.view())))
        + inside(kernel(within_reference))
        - 2.0 * sum(&across) / pairs;
    Ok(KernelDistance {
        distance,
        bandwidth,
        n: set.nrows(),
        n_reference: reference.nrows(),
    })
}

/// Test whether the two sets are further apart than sets of their sizes dealt out of both together: permutation r is drawn from
/// part r of the stream keyed by (`seed`, `label`). `observed` is not that of [`kernel_distance`]: the bandwidth is the median
/// distance over both sets, so that which piece is of which has no part in the kernel, as a permutation test asks.
///
/// Memory: 8 bytes a pair of pieces; time: two operations a pair and permutation.
pub fn kernel_test(
    set: ArrayView2<'_, f32>,
    reference: ArrayView2<'_, f32>,
    permutations: usize,
    seed: u64,
    label: &str,
) -> Result<Permuted, KernelError> {
    let (set, reference) = checked(set, reference)?;
    let (n, m) = (set.nrows(), reference.nrows());
    let both = concatenate![Axis(0), set, reference];
    let mut kernel = squared_distances(both.view(), both.view());
    let bandwidth = bandwidth(&kernel)?;
    kernel.par_mapv_inplace(|d| (-d / (2.0 * bandwidth * bandwidth)).exp());
    kernel.diag_mut().fill(0.0);
    let rows = kernel.sum_axis(Axis(1));
    let all = rows.sum();

    let statistic = |chosen: &Array2<f64>| -> Vec<f64> {
        let sums = chosen.dot(&kernel);
        let of_row = |r: usize| {
            let chosen = chosen.row(r);
            let inside = sums.row(r).dot(&chosen);
            let across = rows.dot(&chosen) - inside;
            let outside = all - inside - 2.0 * across;
            let (n, m) = (n as f64, m as f64);
            inside / (n * (n - 1.0)) + outside / (m * (m - 1.0)) - 2.0 * across / (n * m)
        };
        (0..chosen.nrows()).map(of_row).collect()
    };
    let first = Array2::from_shape_fn((1, n + m), |(_, i)| if i < n { 1.0 } else { 0.0 });
    let observed = statistic(&first)[0];
    let parts = stream(seed, label);
    let at_or_above = (0..permutations.div_ceil(BATCH))
        .into_par_iter()
        .map(|batch| {
            let draws = batch * BATCH..((batch + 1) * BATCH).min(permutations);
            let mut chosen = Array2::zeros((draws.len(), n + m));
            for (r, mut row) in draws.zip(chosen.rows_mut()) {
                let mut mine = first.slice(s![0, ..]).to_vec();
                shuffle(&mut part(&parts, r), &mut mine);
                row.assign(&ndarray::aview1(&mine));
            }
            let found = statistic(&chosen);
            found
                .iter()
                .filter(|&&value| value >= observed - ROUNDING)
                .count()
        });
    let at_or_above: usize = at_or_above.sum();
    Ok(Permuted {
        observed,
        p: (1 + at_or_above) as f64 / (1 + permutations) as f64,
        permutations,
    })
}

fn checked(
    set: ArrayView2<'_, f32>,
    reference: ArrayView2<'_, f32>,
) -> Result<(Array2<f64>, Array2<f64>), KernelError> {
    let (n, n_reference) = (set.nrows(), reference.nrows());
    if set.ncols() != reference.ncols() {
        let (a, b) = (set.ncols(), reference.ncols());
        return Err(KernelError::Dimensions { a, b });
    }
    if n < 2 || n_reference < 2 {
        return Err(KernelError::TooFew { n, n_reference });
    }
    let both = finite(set).zip(finite(reference));
    both.ok_or(KernelError::NotFinite)
}

/// The median distance of two different pieces, from all squared distances `[pieces, pieces]`.
fn bandwidth(squared: &Array2<f64>) -> Result<f64, KernelError> {
    let rows = squared.rows().into_iter().enumerate();
    let mut above: Vec<f64> = rows
        .flat_map(|(i, row)| row.slice(s![i + 1..]).to_vec())
        .collect();
    let middle = above.len() / 2;
    let even = above.len().is_multiple_of(2);
    let (lower, upper, _) = above.select_nth_unstable_by(middle, f64::total_cmp);
    let mut median = upper.sqrt();
    if even {
        let below = lower.iter().copied().fold(0.0, f64::max);
        median = (median + below.sqrt()) / 2.0;
    }
    // Products leave about 1e-8 between equal pieces.
    (median > 1e-7)
        .then_some(median)
        .ok_or(KernelError::NoBandwidth)
}

/// Row by row, so that threads have no part in the order.
fn sum(kernel: &Array2<f64>) -> f64 {
    kernel.rows().into_iter().map(|row| row.sum()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};

    #[test]
    fn sets_drawn_alike_are_near_0_and_others_are_not() {
        let (rows, _) = clouds(1, 80, 16, 1.0, 1);
        let (a, b) = (rows.slice(s![..40, ..]), rows.slice(s![40.., ..]));
        let alike = kernel_distance(a, b).unwrap();
        assert!(alike.distance.abs() < 0.02, "{alike:?}");
        assert!(kernel_test(a, b, 500, 0, "x").unwrap().p > 0.05);
        let (other, _) = clouds(1, 40, 16, 1.0, 2);
        let apart = kernel_distance(other.view(), b).unwrap();
        assert!(apart.distance > 0.1);
        assert_eq!(
            (apart.n, apart.n_reference, apart.bandwidth),
            (40, 40, alike.bandwidth)
        );
        assert_eq!(
            kernel_test(other.view(), b, 500, 0, "x").unwrap().p,
            1.0 / 501.0
        );
    }

    /// The estimate leaves out the pairs of a piece with itself, which a set against itself has on one side only.
    #[test]
    fn a_set_against_itself_is_below_0_by_what_is_left_out() {
        let (rows, _) = clouds(1, 30, 8, 1.0, 3);
        let found = kernel_distance(rows.view(), rows.view()).unwrap();
        assert!(found.distance < 0.0 && found.distance > -2.0 / 30.0);
    }

    #[test]
    fn what_cannot_be_compared() {
        let (rows, _) = clouds(1, 6, 8, 1.0, 4);
        let one = rows.slice(s![..1, ..]);
        let error = kernel_distance(one, rows.view()).unwrap_err();
        assert_eq!(
            error,
            KernelError::TooFew {
                n: 1,
                n_reference: 6
            }
        );
        let narrow = rows.slice(s![.., ..3]);
        assert_eq!(
            kernel_distance(narrow, rows.view()).unwrap_err(),
            KernelError::Dimensions { a: 3, b: 8 }
        );
        let equal = Array2::from_elem((5, 8), 0.35_f32);
        assert_eq!(
            kernel_distance(rows.view(), equal.view()),
            Err(KernelError::NoBandwidth)
        );
        let hole = Array2::from_elem((5, 8), f32::NAN);
        assert_eq!(
            kernel_distance(rows.view(), hole.view()),
            Err(KernelError::NotFinite)
        );
    }

    #[test]
    fn the_same_on_any_threads() {
        let (a, _) = clouds(1, 140, 8, 1.0, 5);
        let (b, _) = clouds(2, 90, 8, 1.0, 6);
        same_on_any_threads(|| kernel_distance(a.view(), b.view()));
        same_on_any_threads(|| kernel_test(a.view(), b.view(), 200, 1, "x"));
    }
}

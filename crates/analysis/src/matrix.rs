//! Matrix work that the analyses share: embeddings as f64, rows of length 1, products on all cores.
//!
//! What comes out is the same to the bit on any number of threads: work is cut into blocks of a fixed size, and each sum is
//! taken by one thread.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Rows that one thread takes at a time.
const BLOCK: usize = 128;

/// The embeddings `[pieces, dimensions]` as f64; `None` when there are none or a value is not finite.
pub(super) fn finite(embeddings: ArrayView2<'_, f32>) -> Option<Array2<f64>> {
    let usable = !embeddings.is_empty() && embeddings.iter().all(|value| value.is_finite());
    usable.then(|| embeddings.mapv(f64::from))
}

/// As [`finite`], with rows of length 1 in f64: f32 leaves 1e-7. A row of zeros stays one.
pub(super) fn unit_rows(embeddings: ArrayView2<'_, f32>) -> Option<Array2<f64>> {
    let mut rows = finite(embeddings)?;
    normalise(&mut rows);
    Some(rows)
}

/// Give every row length 1; a row of zeros stays one.
pub(super) fn normalise(rows: &mut Array2<f64>) {
    for mut row in rows.rows_mut() {
        let length = row.dot(&row).sqrt();
        if length > 0.0 {
            row /= length;
        }
    }
}

/// `rows` less their mean, and the mean.
pub(super) fn centred(mut rows: Array2<f64>) -> (Array2<f64>, Array1<f64>) {
    let count = rows.nrows().max(1) as f64;
    let mean = rows.sum_axis(Axis(0)) / count;
    rows -= &mean;
    (rows, mean)
}

/// `a` `[n, d]` times the transpose of `b` `[m, d]`: `[n, m]`.
pub(super) fn product(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut product = Array2::zeros((a.nrows(), b.nrows()));
    let blocks = product.axis_chunks_iter_mut(Axis(0), BLOCK);
    blocks
        .into_par_iter()
        .zip(a.axis_chunks_iter(Axis(0), BLOCK))
        .for_each(|(mut into, rows)| into.assign(&rows.dot(&b.t())));
    product
}

/// The squared distances `[n, m]` of the rows of `a` and `b`, from products; none is below 0.
pub(super) fn squared_distances(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let squares =
        |m: ArrayView2<'_, f64>| -> Vec<f64> { m.rows().into_iter().map(|r| r.dot(&r)).collect() };
    let (of_a, of_b) = (squares(a), squares(b));
    let mut distances = product(a, b);
    for (mut row, a) in distances.rows_mut().into_iter().zip(of_a) {
        for (value, b) in row.iter_mut().zip(&of_b) {
            *value = (a + b - 2.0 * *value).max(0.0);
        }
    }
    distances
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::streams::{normal, stream};

    /// `groups` clouds of `each` points in `dimensions`, rows of length 1, group after group; with their groups.
    pub fn clouds(
        groups: usize,
        each: usize,
        dimensions: usize,
        spread: f64,
        seed: u64,
    ) -> (Array2<f32>, Vec<usize>) {
        let mut draws = stream(seed, "clouds");
        let mut value = || normal(&mut draws);
        let centres = Array2::from_shape_simple_fn((groups, dimensions), &mut value);
        let mut rows = Array2::from_shape_simple_fn((groups * each, dimensions), &mut value);
        rows *= spread;
        for (i, mut row) in rows.rows_mut().into_iter().enumerate() {
            row += &centres.row(i / each);
        }
        normalise(&mut rows);
        let labels = (0..groups * each).map(|i| i / each).collect();
        (rows.mapv(|v| v as f32), labels)
    }

    /// What `work` gives on 1, 2 and 5 threads is the same.
    pub fn same_on_any_threads<T: PartialEq + std::fmt::Debug + Send>(work: impl Fn() -> T + Sync) {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(&work)
        };
        let first = on(1);
        assert_eq!(first, on(2));
        assert_eq!(first, on(5));
    }

    #[test]
    fn products_are_those_of_one_thread() {
        let (rows, _) = clouds(3, 100, 20, 0.5, 1);
        let rows = finite(rows.view()).unwrap();
        let expected = rows.dot(&rows.t());
        let found = product(rows.view(), rows.view());
        assert!((&found - &expected).iter().all(|d| d.abs() < 1e-12));
        same_on_any_threads(|| product(rows.view(), rows.view()));
    }

    #[test]
    fn unusable_values_are_refused_and_zeros_have_no_direction() {
        assert_eq!(finite(Array2::<f32>::zeros((0, 3)).view()), None);
        assert_eq!(finite(ndarray::array![[1.0, f32::NAN]].view()), None);
        let rows = unit_rows(ndarray::array![[0.0, 0.0], [3.0, 4.0]].view()).unwrap();
        assert_eq!(rows, ndarray::array![[0.0, 0.0], [0.6, 0.8]]);
    }
}

//! How near pieces are in the embedding: for each a Gaussian of the cosine distance as wide as the perplexity asks,
//! both ways, all summing to 1 (`sklearn.manifold._t_sne._joint_probabilities`, `_joint_probabilities_nn`).

use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Halvings of the width, and how near the entropy comes to that asked for, in nats; both as scikit-learn.
const STEPS: usize = 100;
const TOLERANCE: f64 = 1e-5;
/// Pieces compared with all others at a time.
const BLOCK: usize = 64;

/// Symmetric, without the diagonal; they sum to 1.
pub(super) enum Affinities {
    /// `[pieces, pieces]`.
    Dense(Array2<f64>),
    /// Of neighbours only.
    Sparse(Neighbours),
}

/// For each piece (neighbour, affinity), by ascending neighbour.
pub(super) type Neighbours = Vec<Vec<(u32, f64)>>;

/// Of every pair of `rows` `[pieces, dimensions]`, whose length is 1 (or 0).
pub(super) fn dense(rows: &Array2<f64>, perplexity: f64) -> Array2<f64> {
    let n = rows.nrows();
    let shares = for_each_piece(rows, |i, mut distances| {
        // The piece itself does not count.
        distances.remove(i);
        let mut shares = shares(distances, perplexity);
        shares.insert(i, 0.0);
        shares
    });
    let affinity = |i: usize, j: usize| shares[i][j] + shares[j][i];
    let mut both = Array2::from_shape_fn((n, n), |(i, j)| affinity(i, j));
    let sum: f64 = both.iter().sum();
    both /= sum;
    both
}

/// Of every piece and its 3 `perplexity` + 1 nearest, ties by index.
pub(super) fn sparse(rows: &Array2<f64>, perplexity: f64) -> Neighbours {
    let count = ((3.0 * perplexity + 1.0) as usize).min(rows.nrows() - 1);
    let mut both: Neighbours = for_each_piece(rows, |i, distances| {
        let near = nearest(&distances, i, count);
        let distances = near.iter().map(|&j| distances[j as usize]).collect();
        near.into_iter()
            .zip(shares(distances, perplexity))
            .collect()
    });
    let one_way = both.clone();
    for (i, row) in one_way.iter().enumerate() {
        for &(j, share) in row {
            both[j as usize].push((i as u32, share));
        }
    }
    for row in &mut both {
        row.sort_by_key(|entry| entry.0);
        row.dedup_by(|again, first| {
            let same = again.0 == first.0;
            if same {
                first.1 += again.1;
            }
            same
        });
    }
    let sum: f64 = both.iter().flatten().map(|entry| entry.1).sum();
    for entry in both.iter_mut().flatten() {
        entry.1 /= sum;
    }
    both
}

/// The `count` pieces nearest to piece `i`, by ascending index; of equally near ones the first.
fn nearest(distances: &[f64], i: usize, count: usize) -> Vec<u32> {
    let others = (0..distances.len() as u32).filter(|&j| j as usize != i);
    let mut others: Vec<u32> = others.collect();
    if count < others.len() {
        others.select_nth_unstable_by(count, |&x, &y| {
            let (near, far) = (distances[x as usize], distances[y as usize]);
            near.total_cmp(&far).then(x.cmp(&y))
        });
        others.truncate(count);
        others.sort_unstable();
    }
    others
}

/// `work` on each piece and its cosine distances to all pieces, in the order of the pieces.
fn for_each_piece<T: Send>(
    rows: &Array2<f64>,
    work: impl Fn(usize, Vec<f64>) -> T + Sync,
) -> Vec<T> {
    let work = &work;
    let blocks: Vec<_> = rows.axis_chunks_iter(Axis(0), BLOCK).collect();
    let blocks = blocks.into_par_iter().enumerate();
    let by_block = blocks.flat_map_iter(|(block, some)| {
        let cosines = some.dot(&rows.t());
        (0..some.nrows()).map(move |i| {
            let distances = cosines.row(i).mapv(|cosine| (1.0 - cosine).max(0.0));
            work(block * BLOCK + i, distances.to_vec())
        })
    });
    by_block.collect()
}

/// What share each of the others has of a piece's affinity, from its distances to them: exp(-beta distance^2), with the beta
/// at which the entropy is the logarithm of the perplexity.
///
/// Distances are taken from the nearest one, which changes no share and leaves one term at 1, so that the sum is never 0.
/// Where more others than the perplexity are equally near, no beta reaches it: they share alike then.
fn shares(mut distances: Vec<f64>, perplexity: f64) -> Vec<f64> {
    distances.iter_mut().for_each(|d| *d *= *d);
    let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
    distances.iter_mut().for_each(|d| *d -= nearest);
    let (mut beta, mut low, mut high) = (1.0, 0.0, f64::INFINITY);
    let mut shares = vec![0.0; distances.len()];
    for _ in 0..STEPS {
        let (mut sum, mut weighted) = (0.0, 0.0);
        for (share, distance) in shares.iter_mut().zip(&distances) {
            *share = (-beta * distance).exp();
            sum += *share;
            weighted += *share * distance;
        }
        shares.iter_mut().for_each(|share| *share /= sum);
        let excess = sum.ln() + beta * weighted / sum - perplexity.ln();
        if excess.abs() <= TOLERANCE {
            break;
        }
        if excess > 0.0 {
            low = beta;
            beta = if high.is_finite() {
                (beta + high) / 2.0
            } else {
                beta * 2.0
            };
        } else {
            high = beta;
            beta = (beta + low) / 2.0;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};
    use crate::matrix::unit_rows;

    fn rows() -> Array2<f64> {
        unit_rows(clouds(3, 40, 8, 0.5, 4).0.view()).unwrap()
    }

    #[test]
    fn every_share_has_the_perplexity() {
        let distances: Vec<f64> = (1..100).map(|i| f64::from(i) / 60.0).collect();
        let shares = shares(distances, 12.0);
        let entropy: f64 = shares
            .iter()
            .filter(|&&s| s > 0.0)
            .map(|s| -s * s.ln())
            .sum();
        assert!((entropy.exp() - 12.0).abs() < 1e-3);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn more_equals_than_the_perplexity_share_alike() {
        let shares = shares(vec![0.0, 0.0, 0.0, 0.0, 1.0], 2.0);
        assert_eq!(shares, [0.25, 0.25, 0.25, 0.25, 0.0]);
    }

    #[test]
    fn all_neighbours_are_all_pairs() {
        let rows = rows();
        let (dense, sparse) = (dense(&rows, 39.5), sparse(&rows, 39.5));
        assert!((dense.sum() - 1.0).abs() < 1e-12);
        for (i, row) in sparse.iter().enumerate() {
            assert_eq!(row.len(), 119);
            let off = |&(j, p): &(u32, f64)| (dense[[i, j as usize]] - p).abs();
            assert!(row.iter().all(|entry| off(entry) < 1e-14));
        }
    }

    #[test]
    fn neighbours_are_mutual_and_the_same_on_any_threads() {
        let rows = rows();
        let near = sparse(&rows, 5.0);
        for (i, row) in near.iter().enumerate() {
            assert!(row.len() >= 16 && row.is_sorted_by_key(|entry| entry.0));
            for &(j, p) in row {
                assert!(near[j as usize].contains(&(i as u32, p)));
            }
        }
        same_on_any_threads(|| sparse(&rows, 5.0));
        same_on_any_threads(|| dense(&rows, 5.0));
    }

    #[test]
    fn of_equally_near_pieces_the_first_are_taken() {
        assert_eq!(nearest(&[0.5, 0.0, 0.5, 0.5, 0.1], 1, 3), [0, 2, 4]);
    }
}

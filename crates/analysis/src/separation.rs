//! Whether groups are apart, and more so under one embedding than under another: a permutation test of the silhouette, and
//! bootstrap intervals of it and of a difference.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use super::bca::{RESAMPLES, bca_interval};
use super::groups::comparable;
use super::matrix::{product, unit_rows};
use super::silhouette::Place;
use super::streams::{below, part, shuffle, stream};

/// Permutations of a test, unless it is told otherwise.
pub const PERMUTATIONS: usize = 10_000;
/// Draws whose sums are taken in one product.
const BATCH: usize = 16;
/// A permutation that is the observed grouping may miss its silhouette by rounding.
const ROUNDING: f64 = 1e-12;

/// What a permutation test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permuted {
    /// The statistic of the groups as they are.
    pub observed: f64,
    /// (1 + permutations at or above the observed) / (1 + permutations): B. Phipson and G. Smyth, Permutation p-values should
    /// never be zero (2010). One-sided.
    pub p: f64,
    pub permutations: usize,
}

/// A value with its 95 % bootstrap interval (BCa).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// Test whether the mean silhouette of `embeddings` `[pieces, dimensions]` is higher than that of `groups` dealt out at
/// random, sizes kept: permutation r is drawn from part r of the stream keyed by (`seed`, `label`). `None` as for
/// [`silhouette`](super::silhouette::silhouette).
pub fn silhouette_test(
    embeddings: ArrayView2<'_, f32>,
    groups: &[usize],
    permutations: usize,
    seed: u64,
    label: &str,
) -> Option<Permuted> {
    let sizes = comparable(groups, embeddings.nrows())?;
    let cosines = Cosines::of(embeddings)?;
    let draw = |groups: Vec<usize>| Draw {
        groups,
        copies: vec![1.0; embeddings.nrows()],
    };
    let observed = cosines.silhouettes(sizes.len(), &[draw(groups.to_vec())])[0]?;
    let parts = stream(seed, label);
    let found = in_batches(
        permutations,
        |r| {
            let mut groups = groups.to_vec();
            shuffle(&mut part(&parts, r), &mut groups);
            draw(groups)
        },
        |draws| cosines.silhouettes(sizes.len(), draws),
    );
    let at_or_above = found
        .iter()
        .flatten()
        .filter(|&&s| s >= observed - ROUNDING)
        .count();
    Some(Permuted {
        observed,
        p: (1 + at_or_above) as f64 / (1 + permutations) as f64,
        permutations,
    })
}

/// The mean silhouette of `embeddings` `[pieces, dimensions]` and its interval; `None` as for
/// [`silhouette`](super::silhouette::silhouette).
///
/// Pieces are resampled within their groups, whose sizes stay. A piece that is drawn several times counts as often, but its
/// copies are no neighbours of each other: at distance 0 they would make every group look tighter than it is.
pub fn silhouette_interval(
    embeddings: ArrayView2<'_, f32>,
    groups: &[usize],
    seed: u64,
    label: &str,
) -> Option<Interval> {
    let sizes = comparable(groups, embeddings.nrows())?;
    let cosines = Cosines::of(embeddings)?;
    interval(groups, &sizes, seed, label, |draws| {
        cosines.silhouettes(sizes.len(), draws)
    })
}

/// The mean silhouette under embedding `a` less that under `b` of the same pieces, row by row, and its interval: both see
/// the same resamples, drawn as in [`silhouette_interval`]. `None` also when `a` and `b` differ in the number of rows.
pub fn silhouette_difference(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    groups: &[usize],
    seed: u64,
    label: &str,
) -> Option<Interval> {
    let sizes = comparable(groups, a.nrows()).filter(|_| a.nrows() == b.nrows())?;
    let (a, b) = (Cosines::of(a)?, Cosines::of(b)?);
    interval(groups, &sizes, seed, label, |draws| {
        let a = a.silhouettes(sizes.len(), draws).into_iter();
        let pairs = a.zip(b.silhouettes(sizes.len(), draws));
        pairs.map(|(a, b)| Some(a? - b?)).collect()
    })
}

/// The interval of a statistic of draws.
fn interval(
    groups: &[usize],
    sizes: &[usize],
    seed: u64,
    label: &str,
    statistic: impl Fn(&[Draw]) -> Vec<Option<f64>> + Sync,
) -> Option<Interval> {
    let draw = |copies| Draw {
        groups: groups.to_vec(),
        copies,
    };
    let estimate = statistic(&[draw(vec![1.0; groups.len()])])[0]?;
    let members: Vec<Vec<usize>> = (0..sizes.len())
        .map(|group| (0..groups.len()).filter(|&i| groups[i] == group).collect())
        .collect();
    let parts = stream(seed, label);
    let replicates = in_batches(
        RESAMPLES,
        |r| draw(resample(&mut part(&parts, r), &members)),
        &statistic,
    );

    // Without each piece in turn. A piece that is alone cannot be left out: its group would be gone.
    let several: Vec<&Vec<usize>> = members.iter().filter(|members| members.len() > 1).collect();
    let left_out: Vec<usize> = several.iter().copied().flatten().copied().collect();
    let without = in_batches(
        left_out.len(),
        |r| {
            let mut copies = vec![1.0; groups.len()];
            copies[left_out[r]] = 0.0;
            draw(copies)
        },
        &statistic,
    );
    let mut without = without.into_iter();
    let without: Option<Vec<Vec<f64>>> = several
        .iter()
        .map(|members| without.by_ref().take(members.len()).collect())
        .collect();
    let replicates: Option<Vec<f64>> = replicates.into_iter().collect();
    let (low, high) = bca_interval(estimate, replicates?, &without?)?;
    Some(Interval {
        estimate,
        low,
        high,
    })
}

/// How often each piece comes when every group is drawn anew from its own members.
fn resample(stream: &mut ChaCha20Rng, members: &[Vec<usize>]) -> Vec<f64> {
    let mut copies = vec![0.0; members.iter().map(Vec::len).sum()];
    for members in members {
        for _ in members {
            copies[members[below(stream, members.len() as u32) as usize]] += 1.0;
        }
    }
    copies
}

/// `statistic` of `count` draws, in batches side by side; in the order of the draws.
fn in_batches(
    count: usize,
    draw: impl Fn(usize) -> Draw + Sync,
    statistic: impl Fn(&[Draw]) -> Vec<Option<f64>> + Sync,
) -> Vec<Option<f64>> {
    let batches = (0..count.div_ceil(BATCH)).into_par_iter();
    let found = batches.flat_map_iter(|batch| {
        let draws = batch * BATCH..((batch + 1) * BATCH).min(count);
        statistic(&draws.map(&draw).collect::<Vec<_>>())
    });
    found.collect()
}

/// Pieces as one draw has them: of which group, and how often.
struct Draw {
    groups: Vec<usize>,
    copies: Vec<f64>,
}

/// The cosines of every two pieces, in whichever form takes fewer products.
enum Cosines {
    /// `[pieces, pieces]`.
    Pairs(Array2<f64>),
    /// Rows of length 1, `[pieces, dimensions]`.
    Rows(Array2<f64>),
}

impl Cosines {
    fn of(embeddings: ArrayView2<'_, f32>) -> Option<Self> {
        let rows = unit_rows(embeddings)?;
        Some(if rows.nrows() <= rows.ncols() {
            Self::Pairs(product(rows.view(), rows.view()))
        } else {
            Self::Rows(rows)
        })
    }

    /// `[sums, pieces]`: for every row of `copies` `[sums, pieces]` the sum of each piece's cosines with those pieces.
    fn sums(&self, copies: &Array2<f64>) -> Array2<f64> {
        match self {
            Self::Pairs(cosines) => copies.dot(cosines),
            Self::Rows(rows) => copies.dot(rows).dot(&rows.t()),
        }
    }

    fn own(&self, i: usize) -> f64 {
        match self {
            Self::Pairs(cosines) => cosines[[i, i]],
            Self::Rows(rows) => rows.row(i).dot(&rows.row(i)),
        }
    }

    /// The mean silhouette of every draw; `None` where it has no piece.
    fn silhouettes(&self, groups: usize, draws: &[Draw]) -> Vec<Option<f64>> {
        let pieces = draws.first().map_or(0, |draw| draw.groups.len());
        let mut copies = Array2::zeros((draws.len() * groups, pieces));
        for (r, draw) in draws.iter().enumerate() {
            for (i, (&group, &times)) in draw.groups.iter().zip(&draw.copies).enumerate() {
                copies[[r * groups + group, i]] = times;
            }
        }
        let counts = copies.sum_axis(Axis(1));
        let sums = self.sums(&copies);
        let own: Vec<f64> = (0..pieces).map(|i| self.own(i)).collect();
        let of_draw = |(r, draw): (usize, &Draw)| {
            let part = r * groups..(r + 1) * groups;
            let counts: ArrayView1<'_, f64> = counts.slice(s![part.clone()]);
            let (sums, counts) = (sums.slice(s![part, ..]), counts.to_vec());
            let (mut total, mut weight) = (0.0, 0.0);
            for i in (0..pieces).filter(|&i| draw.copies[i] > 0.0) {
                let place = Place {
                    group: draw.groups[i],
                    copies: draw.copies[i],
                    own: own[i],
                };
                total += draw.copies[i] * place.silhouette(&counts, |group| sums[[group, i]]);
                weight += draw.copies[i];
            }
            (weight > 0.0).then(|| total / weight)
        };
        draws.iter().enumerate().map(of_draw).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::{clouds, same_on_any_threads};
    use crate::silhouette::silhouette;

    #[test]
    fn both_forms_have_the_silhouette_as_estimate() {
        for dimensions in [8, 64] {
            let (rows, groups) = clouds(3, 12, dimensions, 0.8, 1);
            let expected = silhouette(rows.view(), &groups).unwrap().mean;
            let found = silhouette_interval(rows.view(), &groups, 0, "x").unwrap();
            assert!((found.estimate - expected).abs() < 1e-12);
            assert!(found.low < expected && expected < found.high, "{found:?}");
            let test = silhouette_test(rows.view(), &groups, 99, 0, "x").unwrap();
            assert!((test.observed - expected).abs() < 1e-12);
        }
    }

    /// Of 6 pieces in two groups of 3 there are 20 groupings, of which the observed one and its mirror reach it.
    #[test]
    fn the_test_counts_the_groupings_that_reach_the_observed_one() {
        let (rows, groups) = clouds(2, 3, 16, 0.1, 2);
        let test = silhouette_test(rows.view(), &groups, 20_000, 0, "x").unwrap();
        assert!((test.p - 0.1).abs() < 0.01, "{test:?}");
        let (apart, groups) = clouds(4, 20, 32, 0.3, 3);
        let test = silhouette_test(apart.view(), &groups, PERMUTATIONS, 0, "x").unwrap();
        assert_eq!(test.p, 1.0 / 10_001.0);
    }

    #[test]
    fn equal_pieces_are_as_good_as_any_grouping() {
        let equal = Array2::from_elem((8, 5), 0.4_f32);
        let groups = [0, 0, 0, 0, 1, 1, 1, 1];
        let test = silhouette_test(equal.view(), &groups, 200, 0, "x").unwrap();
        assert_eq!((test.observed, test.p), (0.0, 1.0));
        let found = silhouette_interval(equal.view(), &groups, 0, "x").unwrap();
        assert_eq!((found.low, found.high), (0.0, 0.0));
    }

    #[test]
    fn an_embedding_does_not_differ_from_itself_and_does_from_a_blurred_one() {
        let (rows, groups) = clouds(3, 15, 32, 0.4, 4);
        let same = silhouette_difference(rows.view(), rows.view(), &groups, 0, "x").unwrap();
        assert_eq!((same.estimate, same.low, same.high), (0.0, 0.0, 0.0));
        let (blurred, _) = clouds(3, 15, 32, 1.5, 4);
        let found = silhouette_difference(rows.view(), blurred.view(), &groups, 0, "x").unwrap();
        assert!(found.low > 0.0, "{found:?}");
        let fewer = blurred.slice(s![..40, ..]);
        assert_eq!(
            silhouette_difference(rows.view(), fewer, &groups, 0, "x"),
            None
        );
    }

    #[test]
    fn copies_are_no_neighbours() {
        let (rows, groups) = clouds(2, 4, 16, 0.9, 5);
        let cosines = Cosines::of(rows.view()).unwrap();
        let twice = Draw {
            groups: groups.clone(),
            copies: vec![2.0; 8],
        };
        let once = Draw {
            groups: groups.clone(),
            copies: vec![1.0; 8],
        };
        let found = cosines.silhouettes(2, &[twice, once]);
        // Every piece twice: the same mean distances, hence the same silhouette.
        assert!((found[0].unwrap() - found[1].unwrap()).abs() < 1e-12);
    }

    #[test]
    fn one_group_or_groups_of_one_have_neither() {
        let (rows, _) = clouds(1, 4, 8, 1.0, 6);
        for groups in [[0, 0, 0, 0], [0, 1, 2, 3]] {
            assert_eq!(silhouette_test(rows.view(), &groups, 9, 0, "x"), None);
            assert_eq!(silhouette_interval(rows.view(), &groups, 0, "x"), None);
        }
        // A group of one stays as it is in every resample.
        assert!(silhouette_interval(rows.view(), &[0, 0, 0, 1], 0, "x").is_some());
    }

    #[test]
    fn the_same_on_any_threads_and_other_draws_for_other_seeds() {
        let (rows, groups) = clouds(3, 10, 12, 1.5, 7);
        let test = |seed| silhouette_test(rows.view(), &groups, 500, seed, "x").unwrap();
        let of = |seed| silhouette_interval(rows.view(), &groups, seed, "x").unwrap();
        same_on_any_threads(|| test(1));
        same_on_any_threads(|| of(1));
        assert_ne!(of(1), of(2));
    }
}

//! What moves the points of a map: neighbours attract each other, all points repel.
//!
//! With w = 1 / (1 + squared distance) the gradient of point i is 4 (sum of p w d - sum of w^2 d / Z), where d is the vector
//! from the other point and Z the sum of w over all ordered pairs (van der Maaten 2014, equation 8).

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::affinities::Affinities;
use super::tree::{Push, Tree};

/// Points, or forces on them.
pub(super) type Plane = Vec<[f64; 2]>;

/// Values summed side by side, so that the processor can take several at once.
const LANES: usize = 8;
/// Points that one thread takes at a time.
const BLOCK: usize = 32;

/// The pushes on every point.
pub(super) fn pushes(affinities: &Affinities, points: &[[f64; 2]]) -> Vec<Push> {
    match affinities {
        Affinities::Dense(p) => all_pairs(Some(p), points),
        Affinities::Sparse(near) => {
            let mut pushes = Tree::build(points).pushes();
            let blocks = pushes.par_chunks_mut(BLOCK).enumerate();
            blocks.for_each(|(block, pushes)| {
                for (i, push) in (block * BLOCK..).zip(pushes) {
                    push.attraction = attraction(&near[i], points, i);
                }
            });
            pushes
        }
    }
}

/// Kullback-Leibler divergence of the map from the affinities times `exaggeration`.
pub(super) fn divergence(
    affinities: &Affinities,
    exaggeration: f64,
    points: &[[f64; 2]],
    z: f64,
) -> f64 {
    let term = |i: usize, j: usize, p: f64| {
        let p = p * exaggeration;
        let distance = squared(points[i], points[j]);
        if p > 0.0 {
            p * (p * (1.0 + distance) * z).ln()
        } else {
            0.0
        }
    };
    let of_point = |i: usize| -> f64 {
        match affinities {
            Affinities::Dense(p) => p
                .row(i)
                .iter()
                .enumerate()
                .map(|(j, &p)| term(i, j, p))
                .sum(),
            Affinities::Sparse(near) => near[i].iter().map(|&(j, p)| term(i, j as usize, p)).sum(),
        }
    };
    let parts: Vec<f64> = (0..points.len()).into_par_iter().map(of_point).collect();
    parts.iter().sum()
}

/// Z from every pair.
pub(super) fn exact_z(points: &[[f64; 2]]) -> f64 {
    all_pairs(None, points).iter().map(|push| push.weight).sum()
}

fn squared(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    x * x + y * y
}

fn attraction(near: &[(u32, f64)], points: &[[f64; 2]], i: usize) -> [f64; 2] {
    let mut sum = [0.0; 2];
    for &(j, p) in near {
        let other = points[j as usize];
        let pull = p / (1.0 + squared(points[i], other));
        sum[0] += pull * (points[i][0] - other[0]);
        sum[1] += pull * (points[i][1] - other[1]);
    }
    sum
}

fn all_pairs(affinities: Option<&Array2<f64>>, points: &[[f64; 2]]) -> Vec<Push> {
    // Points far away fill the last lanes: they weigh nothing.
    let padded = points.len().next_multiple_of(LANES);
    let axis = |axis: usize| -> Vec<f64> {
        let mut values: Vec<f64> = points.iter().map(|point| point[axis]).collect();
        values.resize(padded, 1e150);
        values
    };
    let (x, y) = (axis(0), axis(1));
    let none = vec![0.0; points.len()];
    let push = |i: usize| {
        let p = affinities.map_or(ArrayView1::from(&none), |p| p.row(i));
        let p = p.to_slice().unwrap_or(&none);
        push_on(points[i], p, &x, &y)
    };
    let indices = (0..points.len()).into_par_iter().with_min_len(BLOCK);
    indices.map(push).collect()
}

/// The pushes on one of the points (x, y), its own weight of 1 taken out again.
fn push_on(point: [f64; 2], p: &[f64], x: &[f64], y: &[f64]) -> Push {
    let mut sums = [[0.0; LANES]; 5];
    let mut last = [0.0; LANES];
    let whole = p.len() - p.len() % LANES;
    last[..p.len() - whole].copy_from_slice(&p[whole..]);
    let p = p[..whole]
        .chunks_exact(LANES)
        .chain(std::iter::once(&last[..]));
    for ((x, y), p) in x.chunks_exact(LANES).zip(y.chunks_exact(LANES)).zip(p) {
        for lane in 0..LANES {
            let (dx, dy) = (point[0] - x[lane], point[1] - y[lane]);
            let weight = 1.0 / (1.0 + (dx * dx + dy * dy));
            let (pull, push) = (p[lane] * weight, weight * weight);
            sums[0][lane] += pull * dx;
            sums[1][lane] += pull * dy;
            sums[2][lane] += push * dx;
            sums[3][lane] += push * dy;
            sums[4][lane] += weight;
        }
    }
    let [ax, ay, rx, ry, weight] = sums.map(|lanes| lanes.iter().sum::<f64>());
    Push {
        attraction: [ax, ay],
        repulsion: [rx, ry],
        weight: weight - 1.0,
    }
}

/// Used by the tests of the tree: every pair, without affinities.
#[cfg(test)]
pub(super) fn repulsion(points: &[[f64; 2]]) -> Vec<Push> {
    all_pairs(None, points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{normal, stream};
    use crate::tsne::affinities::Neighbours;

    #[test]
    fn pushes_follow_the_gradient_of_the_divergence() {
        let mut draws = stream(3, "forces");
        let n = 21;
        let mut points: Plane = (0..n)
            .map(|_| [normal(&mut draws), normal(&mut draws)])
            .collect();
        let mut p = Array2::from_shape_fn((n, n), |(i, j)| {
            if i == j {
                0.0
            } else {
                ((i + j) % 5 + 1) as f64
            }
        });
        p /= p.sum();
        let near: Neighbours = (0..n)
            .map(|i| {
                (0..n)
                    .filter(|&j| j != i)
                    .map(|j| (j as u32, p[[i, j]]))
                    .collect()
            })
            .collect();
        let dense = Affinities::Dense(p);
        let found = pushes(&dense, &points);
        let z: f64 = found.iter().map(|push| push.weight).sum();
        assert!((z - exact_z(&points)).abs() < 1e-9);
        let mut moved = |step: f64| {
            points[7][1] += step;
            let value = divergence(&dense, 1.0, &points, exact_z(&points));
            points[7][1] -= step;
            value
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let gradient = 4.0 * (found[7].attraction[1] - found[7].repulsion[1] / z);
        assert!((slope - gradient).abs() < 1e-8, "{slope}, {gradient}");
        for i in 0..n {
            let sparse = attraction(&near[i], &points, i);
            assert!((sparse[0] - found[i].attraction[0]).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_points_do_not_push_each_other() {
        for push in repulsion(&[[0.5, 0.5]; 9]) {
            assert_eq!((push.repulsion, push.weight), ([0.0, 0.0], 8.0));
        }
    }
}

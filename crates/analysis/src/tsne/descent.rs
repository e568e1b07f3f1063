//! Gradient descent with momentum and a gain for every coordinate (R. Jacobs, Increased rates of convergence through learning
//! rate adaptation, 1988), in the two phases of `sklearn.manifold.TSNE`.

use super::TsneSettings;
use super::affinities::Affinities;
use super::forces::{Plane, divergence, exact_z, pushes};

/// Iterations with exaggerated affinities.
const EXPLORATION: usize = 250;
/// How often progress is looked at, and after how many iterations without any it ends.
const CHECK: usize = 50;
const WITHOUT_PROGRESS: usize = 300;
const LEAST_GRADIENT: f64 = 1e-7;
const LEAST_GAIN: f64 = 0.01;

/// Part of the descent.
struct Phase {
    iterations: std::ops::Range<usize>,
    exaggeration: f64,
    momentum: f64,
    without_progress: usize,
}

/// The map from `start`, about the origin, and its divergence.
pub(super) fn minimise(
    affinities: &Affinities,
    start: Plane,
    settings: &TsneSettings,
) -> (Plane, f64) {
    let mut points = start;
    let exploration = Phase {
        iterations: 0..EXPLORATION,
        exaggeration: settings.early_exaggeration,
        momentum: 0.5,
        without_progress: EXPLORATION,
    };
    let done = descend(
        affinities,
        &mut points,
        settings.learning_rate,
        &exploration,
    );
    let rest = Phase {
        iterations: done..settings.iterations,
        exaggeration: 1.0,
        momentum: 0.8,
        without_progress: WITHOUT_PROGRESS,
    };
    descend(affinities, &mut points, settings.learning_rate, &rest);
    centre(&mut points);
    let divergence = divergence(affinities, 1.0, &points, exact_z(&points));
    (points, divergence)
}

/// Run one phase; returns the iteration after its last.
fn descend(
    affinities: &Affinities,
    points: &mut Plane,
    learning_rate: f64,
    phase: &Phase,
) -> usize {
    let mut steps = vec![[0.0; 2]; points.len()];
    let mut gains = vec![[1.0; 2]; points.len()];
    let (mut best, mut best_at) = (f64::INFINITY, phase.iterations.start);
    for iteration in phase.iterations.clone() {
        let pushes = pushes(affinities, points);
        let z: f64 = pushes.iter().map(|push| push.weight).sum();
        let check = (iteration + 1) % CHECK == 0;
        let now = check.then(|| divergence(affinities, phase.exaggeration, points, z));
        let mut squares = 0.0;
        for (i, push) in pushes.iter().enumerate() {
            for axis in 0..2 {
                let attraction = phase.exaggeration * push.attraction[axis];
                let gradient = 4.0 * (attraction - push.repulsion[axis] / z);
                let (step, gain) = (&mut steps[i][axis], &mut gains[i][axis]);
                let turned = *step * gradient < 0.0;
                let changed: f64 = if turned { *gain + 0.2 } else { *gain * 0.8 };
                *gain = changed.max(LEAST_GAIN);
                let scaled = *gain * gradient;
                squares += scaled * scaled;
                *step = phase.momentum * *step - learning_rate * scaled;
                points[i][axis] += *step;
            }
        }
        let Some(now) = now else {
            continue;
        };
        if now < best {
            (best, best_at) = (now, iteration);
        } else if iteration - best_at > phase.without_progress {
            return iteration + 1;
        }
        if squares.sqrt() <= LEAST_GRADIENT {
            return iteration + 1;
        }
    }
    phase.iterations.end
}

fn centre(points: &mut Plane) {
    let n = points.len() as f64;
    for axis in 0..2 {
        let mean = points.iter().map(|point| point[axis]).sum::<f64>() / n;
        points.iter_mut().for_each(|point| point[axis] -= mean);
    }
}

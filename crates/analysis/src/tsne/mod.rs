//! t-SNE: a map of embeddings in two dimensions that keeps near pieces near.
//!
//! L. van der Maaten and G. Hinton, Visualizing data using t-SNE (2008); L. van der Maaten, Accelerating t-SNE using
//! tree-based algorithms (2014). The method, constants and stops are those of `sklearn.manifold.TSNE(metric="cosine",
//! init="pca")`, in f64:
//!
//! - **Distance.** Principal components come first (as in the project's notebook), and the cosine distance is that of the
//!   components' scores. scikit-learn squares it: affinities are exp(-beta (1 - cos)^2). So does this.
//! - **Neighbours.** Barnes-Hut takes 3 perplexity + 1 of them. They are found by comparing every two pieces, since trees of
//!   balls need the triangle inequality, which 1 - cos does not keep. Ties go by index.
//! - **Start.** The first two components, scaled so that the first has a standard deviation of 1e-4. The seed adds normal
//!   noise of 1e-8: it parts pieces that are equal, and it is what differs between maps of two seeds.
//! - **Repeatability.** The map is the same to the bit on any number of threads: a force is summed by one thread, and
//!   everything else in order. (The crate `bhtsne` 0.7.13 does not fit: its sums depend on the threads, its exact form counts
//!   a point as its own neighbour, and its divergence of the tree form reads another pair's affinities.)

mod affinities;
mod descent;
mod forces;
mod tree;

use ndarray::{Array2, ArrayView2};
use serde::Serialize;
use thiserror::Error;

use self::affinities::{Affinities, dense, sparse};
use super::matrix::{finite, normalise};
use super::pca::{pca_of, plane};
use super::streams::{normal, stream};

/// Most points that are laid out with every pair; above it the forces are those of Barnes and Hut.
pub const MOST_EXACT: usize = 2_000;
/// Fewest points of a map.
pub const FEWEST: usize = 4;
/// Standard deviation of the first axis at the start.
const START: f64 = 1e-4;
const NOISE: f64 = 1e-8;

/// How a map is made. The defaults are the notebook's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TsneSettings {
    /// Principal components that are taken first, at most 10,000; fewer where there are not as many. 0 takes the embeddings
    /// themselves.
    pub pca_components: usize,
    /// How many neighbours count, softly: 1 to 1,000. Lowered where there are fewer than 3 times as many other points.
    pub perplexity: f64,
    /// 1 to 100,000; as in scikit-learn, whose gradient has the factor 4.
    pub learning_rate: f64,
    /// 250, in which affinities are exaggerated, to 100,000. It ends earlier where nothing improves for 300 of them.
    pub iterations: usize,
    /// Factor on the affinities in the first 250 iterations: 1 to 1,000.
    pub early_exaggeration: f64,
}

impl Default for TsneSettings {
    fn default() -> Self {
        Self {
            pca_components: 50,
            perplexity: 30.0,
            learning_rate: 200.0,
            iterations: 2000,
            early_exaggeration: 12.0,
        }
    }
}

impl TsneSettings {
    /// Whether every setting is in its range.
    pub fn validate(&self) -> Result<(), TsneError> {
        let settings = [
            ("pca_components", self.pca_components as f64, (0.0, 1e4)),
            ("perplexity", self.perplexity, (1.0, 1e3)),
            ("learning_rate", self.learning_rate, (1.0, 1e5)),
            ("iterations", self.iterations as f64, (250.0, 1e5)),
            ("early_exaggeration", self.early_exaggeration, (1.0, 1e3)),
        ];
        for (name, value, (least, most)) in settings {
            // Written so that it refuses NaN.
            if !(least <= value && value <= most) {
                return Err(TsneError::Setting {
                    name,
                    value,
                    least,
                    most,
                });
            }
        }
        Ok(())
    }
}

/// Why there is no map.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TsneError {
    #[error("`{name}` of t-SNE is {value}: it must be {least} to {most}")]
    Setting {
        name: &'static str,
        value: f64,
        least: f64,
        most: f64,
    },
    #[error("t-SNE needs at least {FEWEST} points, not {points}")]
    TooFew { points: usize },
    #[error("an embedding holds a value that is not finite")]
    NotFinite,
    #[error("all embeddings are equal: there is nothing to map")]
    NoSpread,
    #[error("the map ran off to infinity: lower the learning rate or the early exaggeration")]
    Diverged,
}

impl foreign::Safe for TsneError {}

/// A map of embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// `[pieces, 2]`, about the origin. The axes have no unit and no meaning of their own.
    pub points: Array2<f64>,
    /// The perplexity used: that of the settings, or the largest that the number of points allows.
    pub perplexity: f64,
    /// Kullback-Leibler divergence of the map's affinities from those of the embeddings, in nats: what is minimised. With
    /// Barnes-Hut over the neighbours' affinities.
    pub kl_divergence: f64,
    /// Whether every pair was counted, or Barnes-Hut was used.
    pub exact: bool,
}

/// Map `embeddings` `[pieces, dimensions]` into the plane.
pub fn tsne(
    embeddings: ArrayView2<'_, f32>,
    settings: &TsneSettings,
    seed: u64,
) -> Result<Map, TsneError> {
    let exact = embeddings.nrows() <= MOST_EXACT;
    map(embeddings, settings, seed, exact)
}

pub(super) fn map(
    embeddings: ArrayView2<'_, f32>,
    settings: &TsneSettings,
    seed: u64,
    exact: bool,
) -> Result<Map, TsneError> {
    settings.validate()?;
    let points = embeddings.nrows();
    if points < FEWEST {
        return Err(TsneError::TooFew { points });
    }
    let rows = finite(embeddings).ok_or(TsneError::NotFinite)?;
    let (mut rows, start) = if settings.pca_components == 0 {
        let pca = pca_of(rows.clone(), 2).ok_or(TsneError::NoSpread)?;
        (rows, plane(&pca.scores))
    } else {
        let pca = pca_of(rows, settings.pca_components).ok_or(TsneError::NoSpread)?;
        let start = plane(&pca.scores);
        (pca.scores, start)
    };
    normalise(&mut rows);

    let perplexity = settings.perplexity.min((points - 1) as f64 / 3.0).max(1.0);
    let affinities = if exact {
        Affinities::Dense(dense(&rows, perplexity))
    } else {
        Affinities::Sparse(sparse(&rows, perplexity))
    };
    drop(rows);
    let start = scaled(&start, seed).ok_or(TsneError::NoSpread)?;
    let (points, kl_divergence) = descent::minimise(&affinities, start, settings);
    if !kl_divergence.is_finite() || !points.iter().flatten().all(|v| v.is_finite()) {
        return Err(TsneError::Diverged);
    }
    Ok(Map {
        points: Array2::from_shape_fn((points.len(), 2), |(i, axis)| points[i][axis]),
        perplexity,
        kl_divergence,
        exact,
    })
}

/// The start of the map from the first two components.
fn scaled(plane: &Array2<f64>, seed: u64) -> Option<Vec<[f64; 2]>> {
    let spread = plane.column(0).std(0.0);
    let mut noise = stream(seed, "tsne");
    let mut place = |score: f64| score / spread * START + NOISE * normal(&mut noise);
    let rows = plane.rows().into_iter();
    let start = rows.map(|row| [place(row[0]), place(row[1])]).collect();
    (spread > 0.0).then_some(start)
}

/// The affinities of every two rows of length 1, for the comparison with scikit-learn.
#[cfg(test)]
pub(super) fn affinities_of(rows: &Array2<f64>, perplexity: f64) -> Array2<f64> {
    dense(rows, perplexity)
}

#[cfg(test)]
mod tests;

//! How an experiment makes its maps.

use serde::Serialize;

use super::raw::RawTsne;
use crate::yaml::{Document, YamlError};

/// Beyond it a number was mistyped.
const MOST_ITERATIONS: u64 = 1_000_000;
const MOST_COMPONENTS: u64 = 10_000;

/// Settings of the t-SNE maps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tsne {
    /// Principal components that are kept before.
    pub pca: usize,
    /// Lowered where there are too few points for it.
    pub perplexity: f64,
    pub learning_rate: f64,
    pub iterations: usize,
}

pub(super) fn resolve(document: &Document, raw: &RawTsne) -> Result<Tsne, YamlError> {
    let wrong = |key: &str, message: &str| {
        Err(document.invalid(&format!("tsne.{key}"), format!("'tsne.{key}' {message}")))
    };
    if !(2..=MOST_COMPONENTS).contains(&raw.pca) {
        return wrong("pca", "must be a number of components, 2 or more");
    }
    if !(raw.perplexity.is_finite() && raw.perplexity >= 1.0) {
        return wrong("perplexity", "must be 1 or more");
    }
    if !(raw.learning_rate.is_finite() && raw.learning_rate > 0.0) {
        return wrong("learning_rate", "must be above 0");
    }
    if !(1..=MOST_ITERATIONS).contains(&raw.iterations) {
        return wrong("iterations", "must be from 1 to 1000000");
    }
    Ok(Tsne {
        pca: raw.pca as usize,
        perplexity: raw.perplexity,
        learning_rate: raw.learning_rate,
        iterations: raw.iterations as usize,
    })
}

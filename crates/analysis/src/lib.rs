//! Numbers from numbers: of scores, summaries, intervals and paired tests; of embeddings `[pieces, dimensions]`, maps, how far
//! groups and sets are apart, and what is near. No files, no drawing, no model.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

mod bca;
pub mod bootstrap;
pub mod correlation;
pub mod davies_bouldin;
pub mod displacement;
pub mod frechet;
pub mod groups;
pub mod histogram;
pub mod holm;
pub mod hypothesis;
pub mod kernel;
mod matrix;
pub mod mean;
pub mod nearest;
pub mod paired;
#[cfg(test)]
mod parity;
pub mod pca;
pub mod separation;
pub mod silhouette;
pub mod similarity;
mod streams;
pub mod summary;
pub mod tsne;

pub use paired::{Paired, paired};
pub use summary::{Summary, summarise};

//! From what the models of a run computed to its CSVs: what several tasks share.

pub mod clusters;
mod computed;
pub mod conditions;
mod files;
pub mod maps;
mod rows;
pub mod sample;
pub mod scored;
pub mod told;
pub mod write;

pub use computed::{Computed, ComputedArm, Embeddings, Results};

//! From what the models of a run computed to its CSVs: what several tasks share.

pub mod clusters;
mod computed;
pub mod conditions;
pub mod maps;
mod rows;
pub mod scored;
pub mod told;
pub mod write;

pub use computed::{Computed, ComputedArm, Embeddings, Results};

//! Numbers from numbers: summaries, bootstrap intervals, paired tests. No files, no drawing, no model.

mod bca;
pub mod bootstrap;
pub mod correlation;
pub mod draws;
pub mod grouping;
pub mod holm;
pub mod hypothesis;
pub mod paired;
mod streams;
pub mod summary;
pub mod table;

pub use draws::{by_prompt, draws};
pub use grouping::{Arm, StatsError};
pub use paired::{Paired, paired};
pub use summary::{Summary, summarise};
pub use table::stats;

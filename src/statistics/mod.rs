//! Rows of scores to rows of statistics: what of `stats.csv` and `draws.csv` is computed from `scores.csv`.

pub mod draws;
pub mod grouping;
mod stats;

pub use draws::{by_prompt, draws};
pub use grouping::{Arm, StatsError};
pub use stats::stats;
pub mod window_spread;

//! The CSVs of a run folder: one file per kind of row, column names and units in one place. Computes nothing.

pub mod draws;
pub mod embeddings;
mod npy;
pub mod scores;
pub mod skipped;
pub mod stats;
pub mod table;

pub use draws::DrawsRow;
pub use embeddings::EmbeddingRow;
pub use npy::write_npy;
pub use scores::{ScoreRow, write_scores};
pub use skipped::SkippedRow;
pub use stats::StatsRow;
pub use table::{ReportError, Row, read, write};

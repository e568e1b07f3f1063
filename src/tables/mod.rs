//! The CSVs of a run folder: one file per kind of row, column names and units in one place. Computes nothing.

pub mod aligned;
pub mod cell;
pub mod clusters;
pub mod diff;
pub mod distances;
pub mod draws;
pub mod embeddings;
mod fields;
pub mod histogram;
pub mod manifest;
pub mod maps;
pub mod nearest;
mod npy;
pub mod prompts;
pub mod scores;
pub mod similarity;
pub mod skipped;
mod some_fields;
pub mod stats;
mod summary;
pub mod table;
pub mod texts;
pub mod tsne;
mod windows;

/// Embeddings of the rows of `embeddings.csv` or, of a large run, of `scores.csv`, `[rows, 512]`: of the pieces, or of the texts of an experiment of texts.
pub const EMBEDDINGS_NPY: &str = "embeddings.npy";
/// Embeddings of the prompts of the rows of `embeddings.csv`, `[rows, 512]`; of a large run, of the rows of `prompts.csv`.
pub const TEXT_EMBEDDINGS_NPY: &str = "text_embeddings.npy";

pub use clusters::ClusterRow;
pub use diff::DiffRow;
pub use distances::DistanceRow;
pub use draws::DrawsRow;
pub use embeddings::EmbeddingRow;
pub use histogram::HistogramRow;
pub use maps::MapRow;
pub use nearest::NearestRow;
pub use npy::{NpyError, NpyRows, NpyWriter, read_npy, write_npy};
pub use prompts::PromptRow;
pub use scores::{SAMPLE, ScoreRow};
pub use similarity::SimilarityRow;
pub use skipped::SkippedRow;
pub use stats::StatsRow;
pub use table::{Row, RowWriter, TableError, read, rows, write};
pub use texts::{TextKind, TextRow};
pub use tsne::TsneRow;
pub use windows::{WindowRow, WindowSpreadRow};

/// Every name of a column of the files of a run folder, and of `diff.csv`.
pub fn columns() -> Vec<&'static str> {
    fn of<T: Row>() -> Vec<&'static str> {
        let aliases = T::ALIASES.iter().map(|(_, alias)| *alias);
        T::all_columns().into_iter().chain(aliases).collect()
    }
    [
        of::<ClusterRow>(),
        of::<DiffRow>(),
        of::<DistanceRow>(),
        of::<DrawsRow>(),
        of::<EmbeddingRow>(),
        of::<HistogramRow>(),
        of::<MapRow>(),
        of::<NearestRow>(),
        of::<PromptRow>(),
        of::<ScoreRow>(),
        of::<SimilarityRow>(),
        of::<SkippedRow>(),
        of::<StatsRow>(),
        of::<TextRow>(),
        of::<TsneRow>(),
        of::<WindowRow>(),
        of::<WindowSpreadRow>(),
    ]
    .concat()
}

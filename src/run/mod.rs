//! One experiment with one set of effective settings, in one folder: plan, pieces, journal, embeddings, results.

mod crops;
mod embed;
pub mod engine;
mod finish;
mod folder;
mod journal;
mod length;
mod lines;
mod listed;
mod looked;
mod make;
pub mod making;
mod manifest;
mod named;
mod opened;
pub mod pieces;
pub mod plan;
mod planning;
mod preparing;
mod ready;
mod scratch;
mod shards;
pub mod source;
mod store;
pub mod survey;
mod told;
mod vectors;

pub use engine::{run, run_share};
pub use folder::check_writable;
pub use named::{experiment, experiments_named};
pub use opened::opened;
pub use plan::Plan;
pub use planning::plan;
pub use preparing::{Prepared, prepare, shares_left};
pub use ready::library_sha256;
pub use shards::status;

/// Where run folders are unless `--out` says otherwise, and where a run is looked for by name.
pub const RUNS: &str = "runs";
/// The folder of a run's own pieces, in its folder.
const AUDIO: &str = "audio";

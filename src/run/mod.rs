//! One experiment with one set of effective settings, in one folder: plan, pieces, journal, embeddings, results.

mod crops;
pub mod demo;
mod embed;
pub mod engine;
mod finish;
mod journal;
mod make;
mod manifest;
pub mod plan;
mod ready;
pub mod room;
pub mod source;
mod store;
pub mod summary;
pub mod survey;

pub use engine::run;
pub use plan::{Before, Plan, plan};

/// Where run folders are unless `--out` says otherwise, and where a run is looked for by name.
pub const RUNS: &str = "runs";
/// The folder of a run's own pieces, in its folder.
const AUDIO: &str = "audio";
/// Written last of the results: a folder that has it holds a finished run.
const MANIFEST: &str = "manifest.json";
const FIGURES: &str = "figures";

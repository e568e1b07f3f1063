//! One experiment with one set of effective settings, in one folder: plan, journal, engine, manifest.

pub mod demo;
pub mod engine;
mod folder;
mod journal;
mod lines;
mod manifest;
pub mod pieces;
pub mod plan;
mod store;
pub mod summary;
pub mod survey;

pub use engine::{library_sha256, run};
pub use folder::check_writable;
pub use plan::{Plan, plan};

//! Checkpoints from files: what is read, what is refused and how, and what CLAP models need of them.

mod allocation;
mod clap_models;
mod damage;
mod folders;
mod hostile;
mod make;
mod musicgen;
mod torch_files;

use std::path::PathBuf;

/// A file of `data/`, which `scripts/parity/checkpoints.py` makes.
fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/checkpoint/data")
        .join(name)
}

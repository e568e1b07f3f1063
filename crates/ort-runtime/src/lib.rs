//! ONNX Runtime: where its library comes from, its execution providers, and sessions on it.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

// The support of the tests outside serves those inside, which call the crate by its name then.
#[cfg(test)]
extern crate self as ort_runtime;

mod binary;
mod bound;
mod buffer;
mod cache;
mod cached;
mod capture;
mod compiled;
pub mod devices;
mod element;
pub mod elsewhere;
mod error;
pub mod fit;
/// ONNX Runtime on the CPU, opened once: the same file serves the tests outside.
#[cfg(test)]
#[path = "../../../tests/support/runtime.rs"]
pub(crate) mod for_tests;
mod found;
mod graph_file;
pub mod install;
pub mod inventory;
pub mod library;
mod library_error;
mod opened;
mod placement;
mod places;
pub mod providers;
mod python;
mod session;
mod state;
pub mod threads;
pub mod trial;
mod wheels;
mod with_program;

pub use bound::Bound;
pub use element::Element;
pub use error::SessionError;
pub use graph_file::GraphFile;
pub use providers::Provider;
pub use session::{Input, Runtime, Session, SessionOptions};

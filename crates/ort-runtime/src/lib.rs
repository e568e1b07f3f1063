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
pub mod fit;
/// ONNX Runtime on the CPU, opened once: the same file serves the tests outside.
#[cfg(test)]
#[path = "../../../tests/support/runtime.rs"]
pub(crate) mod for_tests;
pub mod install;
pub mod inventory;
pub mod library;
mod opened;
mod placement;
pub mod providers;
mod session;
mod state;
pub mod threads;
pub mod trial;

pub use bound::Bound;
pub use element::Element;
pub use providers::Provider;
pub use session::{GraphFile, Input, Runtime, Session, SessionError, SessionOptions};

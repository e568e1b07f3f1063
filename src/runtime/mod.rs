//! ONNX Runtime: where its library comes from, its execution providers, and sessions on it.

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
#[path = "../../tests/support/runtime.rs"]
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

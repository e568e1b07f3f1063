//! ONNX Runtime: where its library comes from, its execution providers, and sessions on it.

pub mod install;
pub mod library;
pub mod providers;
mod session;

pub use providers::Provider;
pub use session::{Input, Runtime, Session, SessionError, SessionOptions};

//! ONNX Runtime: where its library comes from, its execution providers, and sessions on it.

mod bound;
pub mod install;
pub mod library;
pub mod providers;
mod session;

pub use bound::Bound;
pub use providers::Provider;
pub use session::{GraphFile, Input, Runtime, Session, SessionError, SessionOptions};

//! Where the ONNX Runtime library comes from, with stand-ins for `python3` and `uv`: no network, no package index.
#![cfg(unix)]

mod cache;
#[cfg(target_os = "linux")]
mod elsewhere;
mod machine;
#[cfg(target_os = "linux")]
mod with_program;

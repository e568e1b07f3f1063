//! `harness generate` from outside: exit codes, messages and the pieces that are left.
//!
//! Everything runs on the demo's MusicGen checkpoint. Needs ONNX Runtime, which the first call installs into the user's
//! cache as it does for a user.

mod batches;
#[cfg(target_os = "linux")]
mod full_disk;
mod golden;
#[cfg(unix)]
mod interruptions;
mod refusals;
mod settings;
#[cfg(target_os = "linux")]
#[path = "../support/small_disk.rs"]
mod small_disk;
mod support;

//! The built program from outside: arguments in, exit code, standard output and files out.
//!
//! Needs ONNX Runtime, which the first call installs into the user's cache as it does for a user.

mod bad_audio;
mod bad_cards;
mod bad_checkpoints;
mod bad_usage;
mod batching;
mod cards;
mod crops;
#[cfg(target_os = "linux")]
mod ended;
mod exports;
mod full_disk;
#[cfg(target_os = "linux")]
mod hostile_folder;
mod installation;
mod parity;
mod providers;
#[cfg(target_os = "linux")]
#[path = "../support/small_disk.rs"]
mod small_disk;
mod support;
mod terminal;

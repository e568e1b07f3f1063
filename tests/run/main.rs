//! `harness run`, `check` and `figures` from outside: exit codes, messages and the files that are left.
//!
//! Everything runs on the demo's checkpoints and pieces, copied into a folder of the test's own.

mod bad_models;
mod bad_pieces;
mod chain;
mod check;
mod clusters;
mod compare;
mod crops;
mod demo;
mod descriptions;
mod figures;
#[cfg(target_os = "linux")]
mod full_disk;
mod generate;
mod generate_refusals;
mod hostile;
mod hub;
// The downloads' own tests use more of it.
#[allow(dead_code)]
#[path = "../support/hub_server.rs"]
mod hub_server;
mod labels;
#[cfg(target_os = "linux")]
mod leftovers;
#[cfg(unix)]
mod links;
mod lists;
#[cfg(target_os = "linux")]
mod long_sound;
mod nowhere;
mod paper;
mod repeat;
#[cfg(unix)]
mod resume;
mod settings;
#[cfg(unix)]
mod shards;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
#[path = "../support/small_disk.rs"]
mod small_disk;
#[cfg(unix)]
mod strange_numbers;
mod support;
mod texts;
mod windows;

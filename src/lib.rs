//! `harness`: music from taste words, judged by CLAP, without Python.

// What goes to the terminal goes through `process::progress`, which makes it safe and does not panic; what is started is
// started through `process::child`, which lets nobody else's code into it.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

pub mod args;
pub mod builtin;
mod bundled;
pub mod card;
pub mod cli;
mod commands;
pub mod demo;
pub mod diff;
mod engines;
pub mod exit;
pub mod experiment;
pub mod figures;
mod labels;
pub mod model;
pub mod notebook;
pub mod paper;
mod references;
pub mod report;
pub mod results;
pub mod run;
pub mod shard;
pub mod spec;
pub mod statistics;
pub mod tables;
pub mod tasks;
mod words;

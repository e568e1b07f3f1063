//! `harness`: music from taste words, judged by CLAP, without Python.

// What goes to the terminal goes through `progress`, which makes it safe and does not panic.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
// What is started is started through `child`, which lets nobody else's code into it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

// The support of the tests outside serves those inside, which call the crate by its name then.
#[cfg(test)]
extern crate self as harness;

pub mod aligned;
pub mod analysis;
pub mod audio;
pub mod cache;
pub mod card;
pub mod checkpoint;
pub mod child;
pub mod cli;
pub mod commands;
pub mod diff;
pub mod export;
pub mod figures;
pub mod files;
mod guard;
pub mod hub;
pub mod interrupt;
pub mod model;
pub mod onnx;
pub mod page;
pub mod pipeline;
pub mod precision;
pub mod progress;
pub mod report;
pub mod run;
pub mod runtime;
pub mod seeds;
pub mod spec;
pub mod textfile;
pub mod wording;
pub mod yaml;

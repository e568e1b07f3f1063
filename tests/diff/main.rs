//! `harness diff` from outside: two run folders, what is said of them, and the exit code.

mod compares;
mod precisions;
mod refusals;
// The runs' own tests use more of it.
#[allow(dead_code)]
#[path = "../run/support.rs"]
mod lab;
mod real_runs;
mod strange_text;
mod support;

//! The process on its machine: the processes that it starts, the signals that end it, and what goes to the terminal.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)
)]

pub mod child;
pub mod interrupt;
pub mod progress;

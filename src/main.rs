#![deny(clippy::print_stdout, clippy::print_stderr)]

use clap::Parser;
use harness::cli::{self, Cli};
use harness::exit;
use process::{interrupt, progress};

fn main() {
    let defaults = [
        // The driver's tools count GPUs along the bus, and so does `--device`; CUDA would put the fastest first.
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        // ONNX Runtime 1.31 keeps a data base and a number of the machine in the user's cache, whatever its own option says.
        ("ORT_DISABLE_TELEMETRY", "1"),
    ];
    for (name, value) in defaults {
        if std::env::var_os(name).is_none() {
            // SAFETY: no other thread runs yet.
            unsafe { std::env::set_var(name, value) };
        }
    }
    interrupt::install();
    let done = match Cli::try_parse() {
        Ok(cli) => cli::execute(cli).map(|()| 0),
        Err(answer) => answered(&answer).map(|()| answer.exit_code()),
    };
    interrupt::last_word();
    interrupt::leave(done.unwrap_or_else(|error| {
        progress::error(exit::message(&error));
        exit::code(&error).into()
    }))
}

/// Print what clap answers in place of a command: help that was asked for, or why the arguments are refused.
fn answered(answer: &clap::Error) -> anyhow::Result<()> {
    if answer.use_stderr() {
        // It quotes the arguments, which the names of others' files may be among.
        progress::note(answer.render().to_string().trim_end());
        return Ok(());
    }
    Ok(progress::printed_by(|| answer.print())?)
}

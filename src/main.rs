use std::process::ExitCode;

use clap::Parser;
use harness::cli::Cli;
use harness::{commands, interrupt};

fn main() -> ExitCode {
    // The driver's tools count GPUs along the bus, and so does `--device`; CUDA would put the fastest first.
    if std::env::var_os("CUDA_DEVICE_ORDER").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("CUDA_DEVICE_ORDER", "PCI_BUS_ID") };
    }
    let cli = Cli::parse();
    interrupt::install();
    match commands::execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", commands::message(&error));
            commands::exit_code(&error)
        }
    }
}

use std::process::ExitCode;

use clap::Parser;
use harness::cli::Cli;
use harness::{commands, interrupt};

fn main() -> ExitCode {
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

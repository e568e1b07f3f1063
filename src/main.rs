use std::process::ExitCode;

use clap::Parser;
use harness::cli::Cli;
use harness::commands;

fn main() -> ExitCode {
    match commands::execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", commands::message(&error));
            commands::exit_code(&error)
        }
    }
}

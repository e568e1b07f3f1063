use clap::Parser;
use harness::cli::Cli;
use harness::{commands, interrupt};

fn main() {
    // The driver's tools count GPUs along the bus, and so does `--device`; CUDA would put the fastest first.
    if std::env::var_os("CUDA_DEVICE_ORDER").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("CUDA_DEVICE_ORDER", "PCI_BUS_ID") };
    }
    interrupt::install();
    let cli = Cli::parse();
    let done = commands::execute(cli);
    interrupt::last_word();
    interrupt::leave(match done {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("error: {}", commands::message(&error));
            commands::exit_code(&error).into()
        }
    })
}

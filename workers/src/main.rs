//! The worker of Vintem. One line on standard input is the wrapped secret id; everything else that configures it
//! stands in the environment (see `vintem_core::secrets`), and its roles on the command line.

use std::process::ExitCode;

use clap::Parser as _;

// Batches are many small strings; the system's allocator took a quarter of a server's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = vintem_workers::startup::Arguments::parse();
    match vintem_workers::startup::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Telemetry may not be up yet, and whoever started the process reads its last line.
            eprintln!("vintem-worker: {}", vintem_workers::startup::chain(&error));
            ExitCode::FAILURE
        }
    }
}

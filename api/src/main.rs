//! The HTTP server of Vintem. One line on standard input is the wrapped secret id; everything else
//! that configures it stands in the environment (see `vintem_core::secrets`).

use std::process::ExitCode;

// Batches are many small strings; the system's allocator took a quarter of a server's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match vintem_api::startup::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Telemetry may not be up yet, and whoever started the process reads its last line.
            eprintln!("vintem-api: {}", vintem_api::startup::chain(&error));
            ExitCode::FAILURE
        }
    }
}

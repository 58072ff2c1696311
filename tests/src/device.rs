//! A caller's device, as the benchmark has it.

pub use vintem_cli::client::device::Device;

//! The HTTP server of Vintem.
fn main() {}

//! The operator command of Vintem.
fn main() {}

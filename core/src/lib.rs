//! Domain and storage of Vintem.

pub mod kernel;

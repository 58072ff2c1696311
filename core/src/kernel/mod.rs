//! The words that every context shares: amounts, names, instants, refusals.
//!
//! Nothing here does I/O, reads a clock or draws a random number; every function is pure,
//! so that rules built from these words can be tested by calling them.

pub mod refusal;

pub use refusal::{Place, Refusal, RefusalCode};

//! The words that every context shares: amounts, names, instants, refusals.
//!
//! Nothing here does I/O, reads a clock or draws a random number; every function is pure,
//! so that rules built from these words can be tested by calling them.

pub mod amount;
pub mod fingerprint;
pub mod instant;
pub mod metadata;
pub mod name;
mod network;
mod rate;
pub mod refusal;
pub mod spoken;
pub mod window;

pub use amount::Minor;
pub use instant::{Instant, When};
pub use metadata::Metadata;
pub use network::Network;
pub use rate::{BadRate, Bucket, Rate};
pub use refusal::{Place, Refusal, RefusalCode};

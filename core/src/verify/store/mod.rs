//! SQL of the verification: pages of the log and of what is derived from it.

pub mod catalogue;
pub mod derived;
pub mod drift;
pub mod log;
pub mod look_ups;
pub mod personal;

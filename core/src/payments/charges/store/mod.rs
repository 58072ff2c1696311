//! SQL of charges.

pub mod look_ups;
pub mod reads;

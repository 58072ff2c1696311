//! SQL of the ledger.

pub mod identities;
pub mod look_ups;

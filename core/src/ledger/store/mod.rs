//! SQL of the ledger.

pub mod accounts;
pub mod balances;
pub mod facts;
pub mod holds;
pub mod identities;
pub mod look_ups;
pub mod shards;
pub mod statement;
pub mod totals;
pub mod touching;

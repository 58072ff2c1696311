//! The ledger's endpoints, one file each. What they share is how members of a body become the
//! ledger's words ([`input`]) and how pages are made ([`page`]).

pub mod accounts;
pub mod assets;
pub mod balances;
pub mod batches;
pub mod events;
pub mod holds;
pub mod input;
pub mod page;
pub mod requests;
pub mod reversals;
pub mod statements;
pub mod transactions;
pub mod trial_balance;

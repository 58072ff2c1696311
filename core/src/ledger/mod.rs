//! The ledger: assets, accounts, transactions, holds and reversals in double entry.
//!
//! A [`command::Command`] is decided purely against what is known ([`known`], the folded
//! aggregates [`account::Account`], [`reversal::Transaction`], [`hold::Hold`]) and becomes a
//! proposal; [`service::Ledger`] loads, decides and hands it to the shard's writer, which alone
//! knows the balances. [`store`] holds the SQL: the look-ups folded in the append transaction, and
//! the reads.
//!
//! Invariants: a transaction balances per asset and touches an account at most once; captures never
//! exceed their hold and its tolerance; reversals never exceed the original; a hold ends once.
//!
//! `from` is debited and `to` is credited. A hold's leg that will lower its account is *held*, one
//! that will raise it is *incoming*. A capture is a transaction of its own.
//!
//! Deliberately absent: balances (they are the event store's), payments, people, fees.

pub mod account;
pub mod asset;
pub mod capture;
pub mod command;
pub mod directory;
pub mod error;
pub mod event;
pub mod expiry;
pub mod hold;
pub mod known;
pub mod placing;
pub mod reads;
pub mod returns;
pub mod reversal;
pub mod service;
pub mod statement;
pub mod store;
pub mod touching;
pub mod transaction;
pub mod trial_balance;
pub mod view;

#[cfg(test)]
mod spec;

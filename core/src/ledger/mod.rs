//! wip
pub mod account;
pub mod asset;
pub mod capture;
pub mod command;
pub mod directory;
pub mod error;
pub mod event;
pub mod hold;
pub mod known;
pub mod placing;
pub mod reversal;
pub mod service;
pub mod store;
pub mod transaction;
pub mod view;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod spec;

//! What the tests share: a ledger over a database of its own, and the checks that end every run.
//!
//! Tests run against real services, those of `cargo dev up`. Each makes its own database (and its
//! own mounts in Vault where it needs them), so they run in parallel and leave nothing behind.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod api;
pub mod book;
pub mod broker_wire;
pub mod busy;
pub mod certificates;
pub mod client;
pub mod device;
pub mod factory;
pub mod guides;
pub mod load;
pub mod lossy;
pub mod mailbox;
pub mod matrix;
pub mod model;
pub mod payer;
pub mod people;
pub mod phone;
pub mod policies;
pub mod python;
pub mod server;
pub mod shops;
pub mod staff;
pub mod stall;
pub mod store;
pub mod stub;
pub mod subscriptions;
pub mod tamper;
pub mod tenants;
pub mod terminal;
pub mod till;
pub mod vault;
pub mod views;
pub mod webhooks;
pub mod workers;

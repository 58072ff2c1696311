//! Domain and storage of Vintem.

pub mod access;
pub mod aliases;
pub mod citizens;
pub mod event_kinds;
pub mod event_store;
pub mod holders;
pub mod jobs;
pub mod kernel;
pub mod keys;
pub mod ledger;
pub mod look_ups;
pub mod messages;
pub mod migrations;
pub mod payments;
pub mod projections;
pub mod receipts;
pub mod secrets;
pub mod settlement;
pub mod subscriptions;
pub mod telemetry;
pub mod tenant_export;
pub mod terminals;
pub mod verify;
pub mod webhooks;

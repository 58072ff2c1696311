//! The operator's command as a library: tests use [`stack`] to get databases and secrets of their own.

pub mod bench;
pub mod client;
pub mod commands;
pub mod demo;
pub mod export;
pub mod import;
pub mod money;
pub mod names;
pub mod progress;
pub mod session;
pub mod simulate;
pub mod stack;
pub mod tenant_export;

//! The operator's command as a library: tests use [`stack`] to get databases and secrets of their own.

pub mod commands;
pub mod stack;

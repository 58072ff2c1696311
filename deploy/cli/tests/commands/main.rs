//! The commands as their users run them: as processes, with the rights of their roles and no more.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod import_docs;
mod import_real_data;
mod stack;
mod system;
mod tenant;
mod verify;

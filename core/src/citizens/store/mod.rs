//! The SQL of citizens, each function inside a transaction of the tenant. Role: editor.

pub mod challenges;
pub mod credentials;
pub mod sessions;

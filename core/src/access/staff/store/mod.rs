//! The SQL of the staff, each function inside a transaction of its tenant. Role: editor, where nothing else is said; what
//! finds sessions and members does as the reader, too.

pub mod credentials;
pub mod invitations;
pub mod members;
pub mod sessions;

pub use crate::access::tenant::Of;

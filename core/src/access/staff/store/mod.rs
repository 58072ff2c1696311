//! The SQL of the staff, each function inside a transaction of its tenant. Role: editor, where nothing else is said; what
//! finds sessions and members does as the reader, too.

pub mod attempts;
pub mod credentials;
pub mod invitations;
pub mod members;
pub mod sessions;

use uuid::Uuid;

/// Whose rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of {
    /// The tenant's shard.
    pub shard: i16,
    /// The tenant.
    pub tenant: Uuid,
}

//! The one door to new identities.

use uuid::Uuid;

/// A UUIDv7: unique without coordination, and in rough order of time, which keeps indexes dense.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

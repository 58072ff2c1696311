//! The one door to new identities.

use uuid::Uuid;

/// A `UUIDv7`: unique without coordination, and in rough order of time, which keeps indexes dense.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

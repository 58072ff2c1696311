//! The keys of the installation, and how each is replaced while everything runs.
//!
//! A rotation is three small writes to a ring in Vault ([`crate::secrets::KeyRing`]) with waits between them: the new key is
//! made known; it becomes current; the old one goes. Each wait is as long as the slowest cache or the longest life of what
//! the old key signed ([`Which::pace`]), so nobody meets a key that he cannot know, and nothing is refused before its end.
//!
//! Invariants:
//! - The state of a rotation is in the ring and nowhere else: whoever runs the command goes on where it stands.
//! - Every write of a ring is check-and-set; of two who rotate at once one waits for the other's steps.
//! - That a key became current is in the log before it is so, once, and without anything of the key but its name.
//! - What is published is never less than what signs.
//!
//! What the key of blind indexes made does not end by itself: rows by which people are found. So there the rows under the new
//! key are written before it becomes current, looked over once more before the old one goes, and those under the old one are
//! deleted when nobody can write such rows any more ([`crate::holders::reindex`]).
//!
//! Absent on purpose: the key that wraps people's keys, which Vault rotates and `vintem rewrap` follows; the one of fingerprints of
//! requests, which are compared for ever.

mod error;
pub mod event;
mod rotation;
mod which;

pub use error::KeysError;
pub use rotation::{Rotation, State, Step};
pub use which::{UnknownKey, Which};

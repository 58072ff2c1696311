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
//! Absent on purpose: keys that belong to people's data. They are not signatures that end by themselves, but the way to
//! data that stays, and rotate by wrapping or writing anew.

mod error;
pub mod event;
mod rotation;
mod which;

pub use error::KeysError;
pub use rotation::{Rotation, State, Step};
pub use which::{UnknownKey, Which};

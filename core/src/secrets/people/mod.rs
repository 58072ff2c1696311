//! The keys of people: one per person, so that one person can be forgotten.
//!
//! A key is made by Vault (`transit/datakey`), which hands it out twice: in clear, for now, and wrapped by a key that
//! never leaves Vault. The wrapped one is kept, in a database of its own ([`store`]) whose backups are kept for days
//! only; the clear one lives in memory ([`keys`]), bounded in number and time, and is overwritten when it is dropped.
//! Fields are sealed with it in this process ([`envelope`]), without a call to anybody.
//!
//! Invariants:
//! - A wrapped key opens for the tenant and person that it was made for and for nobody else (a derived key: the context
//!   is part of the wrapping), and a sealed field in the place where it was sealed.
//! - A key whose row is gone is dropped from every process within [`keys::GLANCE`] twice, also when nobody can be asked.
//! - Without Vault known keys go on and unknown ones fail; nothing is ever stored in clear instead.
//!
//! [`rewrap`] brings wrapped keys to the newest version of the key in Vault, so that the old ones can be ended.

mod envelope;
mod keys;
pub mod rewrap;
mod store;
mod transit;

pub use envelope::{DataKey, Place, Unopenable};
pub use keys::PersonKeys;

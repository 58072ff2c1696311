//! What people prove themselves with, whoever they are: secrets that they remember, and how often they may be wrong.
//!
//! A secret is hashed beside the threads that serve requests, and for nobody's as for somebody's ([`hashing`]). An attempt
//! is counted before it is judged and taken back when it succeeds ([`attempts`]), so that a hundred at once are a hundred; what
//! they are counted under are keyed digests, so that the rows say nothing of anybody.
//!
//! Invariants:
//! - What is stored of a secret is of no use without the pepper, which is in Vault.
//! - Whoever tries secrets out waits longer each time ([`back_off`]); who is known at their place does not wait for others.
//!
//! Deliberately absent: whose the secrets are. Staff and citizens keep theirs in rows of their own.

pub mod back_off;
pub mod hashing;
pub mod password;
pub(crate) mod store;

pub use back_off::Counted;
pub use hashing::{Busy, Hashing};
pub use password::Password;
pub(crate) use store as attempts;
pub(crate) use store::Attempt;

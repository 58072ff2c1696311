//! Citizens: the people who pay with a telephone, and how they prove that it is them.
//!
//! A citizen is a holder with an account, one or more devices whose keys never leave them, a password and a PIN. Everything that
//! brings a device in goes through a code that is sent to the person's contact ([`challenge`]); everything that moves money
//! goes through the device's signature and then the PIN ([`confirm`]).
//!
//! ```text
//! register: code to the contact ─► code, password, PIN, device's proof ─► one commit: holder, account, citizen, first session
//! sign in:  password, device's proof ─► known device: a session · another one: a code first, and it starts with less
//! refresh:  token of the session's number ─► the next number; an older one ends the session
//! recover:  code to the contact ─► another password and PIN, this device and no other, which starts with less
//! contact:  code to the new one, signature and PIN ─► it is the one, the old one is told, every device pays less for a day
//! ```
//!
//! Who is a citizen, with which devices, is the fold of the citizen's stream, whose id follows from the holder's. Secrets are rows that
//! can be deleted: argon2id hashes under a pepper from Vault. Refresh tokens are not kept at all: they follow from the session, a number
//! and the pepper ([`refresh`]), so that every one that ever was is recognised, and the next one is always the same.
//!
//! Invariants:
//! - Who asks to register, to recover or to sign in learns nothing about who is registered: the same answer, the same work.
//! - A code counts once, from the device that asked for it, and is tried five times at most; a contact is sent few of them.
//! - A PIN counts only together with the signature of a device of the person's; five wrong ones in a row lock it until a recovery.
//!   So nobody locks out anybody else.
//! - An older refresh token ends its session; the one before may be repeated by the same device for ten seconds.
//! - A device that is taken away ends its sessions: refreshing asks the log, and tokens in memory are refused within seconds.
//! - Whoever is erased as a holder is no citizen any more.
//! - The fact is recorded while the code's row is locked, and before what follows from it is committed; should that commit fail, the
//!   same request finishes what the log knows already.
//!
//! - Whoever registers with the number of somebody whom the back office knows is that person if the code went to the contact on record,
//!   and is refused like everybody else who names a number that is taken if it did not.
//!
//! A simulation's town [`settling`] leaves the code out, and nothing else.
//!
//! Deliberately absent: passkeys, codes of an authenticator; changing the contact of somebody who has lost the one that is known.

pub mod challenge;
pub mod citizen;
mod confirm;
pub mod contact;
mod device;
mod erasure;
mod error;
pub mod event;
pub mod pin;
mod recovery;
pub mod refresh;
mod registration;
mod secrets;
mod service;
mod session;
mod settling;
mod sign_in;
#[cfg(test)]
mod spec;
mod store;

pub use challenge::Sent;
pub use citizen::{Citizen, Device};
pub use confirm::{Confirmed, Shown};
pub use error::CitizenError;
pub use pin::Pin;
pub use recovery::Recovery;
pub use refresh::RefreshToken;
pub use registration::Introduction;
pub use service::{Answered, Chosen, Citizens, Knocks, Knows, Opened};
pub use session::SessionShown;
pub use settling::{Settled, Settler};
pub use sign_in::{SignIn, SignedIn};

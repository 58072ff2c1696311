//! Aliases: the keys by which people are paid. Whoever pays types a number or an address, sees a masked name, and pays that person.
//!
//! ```text
//! register: what the holder's record says, sealed, or a UUID ─► one commit: alias.registered + look-up rows
//! look up:  key ─► digest ─► owner ─► masked name, and a ticket for ten minutes ([`ticket`]); a miss costs twenty hits ([`quota`])
//! pay:      ticket ─► payee ─► a transfer like any other (`crate::payments`)
//! ```
//!
//! A key is unique among living people: it is a personal key of its holder ([`crate::event_store::personal`]), of a kind of its own per
//! kind of alias, and so goes with the holder when they are erased. A person's keys are one stream, so that nobody gets a sixth by asking
//! twice at once.
//!
//! Invariants:
//! - No number and no address reaches an event, a stored answer or a log in clear.
//! - A look-up tells a masked name and a masked CPF and no more; nobody, somebody erased and somebody who cannot be paid are one answer.
//! - A ticket is good for the one who asked, and for ten minutes.
//!
//! What is proven: the contact that a registration's code went to is its person's; of the other contact, and of the CPF, it is known
//! only that the person has named them first. A random key is a pseudonym: it stands in events in clear, as ids of holders do.
//!
//! Deliberately absent: claims. A phone number that was given to somebody else stays an alias of whoever had it before, until they
//! remove it or are erased; nobody takes a key over from anybody, and no key moves between accounts.

pub mod book;
mod error;
pub mod event;
mod kind;
mod quota;
mod service;
#[cfg(test)]
mod spec;
pub mod ticket;

pub use error::AliasError;
pub use event::Kind;
pub use kind::Alias;
pub use service::{Aliases, Attempt, Found, Own};

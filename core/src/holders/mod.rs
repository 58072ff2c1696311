//! Holders: the people behind the accounts, kept so that they can be forgotten.
//!
//! The log is for ever and nobody may be. So an event about a holder carries ciphertext only, under a key that belongs to
//! this one person and stands in a database of its own (`secrets::people`). Erasing somebody is the fact `holder.erased`
//! and the end of that key: the events stay, the chain over them stays, and nobody can read them any more.
//!
//! ```text
//! register: check ─► key of the person, wrapped by Vault ─► encrypt ─► one commit: event + look-up rows + answer
//! erase:    one commit: event, look-up rows gone, job asked ─► key deleted at once, and by the job until it is
//! ```
//!
//! A holder is found by CPF without the CPF being stored: what is stored is a keyed digest, a row that can be deleted
//! ([`crate::event_store::personal`]); so are a person's other keys (`crate::aliases`). Digests are in no event, so
//! `vintem verify` cannot fold them; it checks that rows and living holders belong together.
//!
//! Invariants:
//! - No plaintext of a person reaches a table, an event, a queue, a log or a stored answer, Vault away or not.
//! - One living holder per tenant and CPF.
//! - Who looks a holder up sees masked data ([`mask`]); who is shown it as it is, is in the log before, with the reason.
//! - After `holder.erased` nobody is shown anything of the person, whatever keys are still cached.
//! - Money does not know holders: balances and statements are the same before and after.
//!
//! Deliberately absent: changing anything of a holder but their contact, which citizens change by proving the new one; lists of people, search by name.

pub mod cpf;
pub mod details;
pub mod erasure;
mod error;
pub mod event;
pub mod holder;
mod kinds;
pub mod mask;
pub mod reindex;
pub mod retention;
mod service;
pub(crate) mod store;

pub use cpf::Cpf;
pub use details::Details;
pub use error::HolderError;
pub use holder::{Erased, Holder};
pub use service::{Found, Holders, Personal};

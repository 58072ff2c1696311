//! `vintem export`: the ledger as a plain-text journal that hledger and Ledger read.
//!
//! ```text
//! GET /v1/events ─► movements ─► spool (a temporary file, indexed by effective date)
//!                                  └─► sorted ─► entries with running balances ─► the journal
//! ```
//!
//! The log of events is the source: it holds every movement once, with all its legs. It is
//! in recorded order and a journal is in order of dates, so the movements are spooled to disk
//! and an index of a few bytes each is sorted in memory. Balance assertions are the fold of
//! what has been written so far, which is exactly what hledger checks.
//!
//! The journal states what was true at one position of the ledger: the one at which the
//! export began. It is written beside its destination and renamed when it is whole.

pub mod book;
pub mod collect;
pub mod command;
pub mod entry;
pub mod log;
pub mod spool;
#[cfg(test)]
mod tests;

pub use command::{ExportArgs, run};

use crate::client::ClientError;

/// Why a journal cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The API.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An event that this version cannot read.
    #[error("the event at position {position} cannot be read")]
    Event {
        /// Its place in the log.
        position: u64,
        /// What is wrong with its payload.
        source: serde_json::Error,
    },
    /// An event that moves an account which no event before it opened.
    #[error("the event at position {position} moves an account that the log has not opened")]
    Move {
        /// Its place in the log.
        position: u64,
    },
    /// There is no such account.
    #[error("there is no account {0:?}")]
    UnknownAccount(String),
    /// The temporary file.
    #[error("the temporary file cannot be used")]
    Spool(#[source] std::io::Error),
    /// The journal.
    #[error("cannot write {path}")]
    Write {
        /// Where.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

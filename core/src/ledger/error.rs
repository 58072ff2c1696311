//! What can go wrong with a use case of the ledger.

use crate::event_store::WriteError;
use crate::kernel::Refusal;

/// Why there is no answer of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The request can never be right, or names what does not exist. Not recorded.
    #[error("the request was refused")]
    Refused(#[from] Refusal),
    /// The writer could not take or end it.
    #[error("the request was not written")]
    Write(#[from] WriteError),
    /// Postgres could not be read; nothing was written.
    #[error("the database could not be read")]
    Database(#[from] sqlx::Error),
}

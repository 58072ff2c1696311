//! Why a use case of this context has no answer.

use crate::event_store::WriteError;
use crate::kernel::Refusal;
use crate::ledger::error::LedgerError;
use crate::secrets::SecretsError;

/// A refusal or a failure. Nothing of a person is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger has no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Vault or the database of keys.
    #[error("a person's key is not to be had")]
    Secrets(#[from] SecretsError),
    /// A payload that cannot be read, or a note that its key does not open.
    #[error("what the log says of this payment cannot be read")]
    Unreadable,
}

impl From<WriteError> for PaymentError {
    fn from(error: WriteError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<sqlx::Error> for PaymentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Ledger(error.into())
    }
}

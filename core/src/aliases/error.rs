//! Why a use case of this context has no answer.

use crate::event_store::WriteError;
use crate::holders::HolderError;
use crate::kernel::Refusal;
use crate::ledger::error::LedgerError;
use crate::secrets::SecretsError;
use std::time::Duration;

/// A refusal or a failure. Nothing of a person is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum AliasError {
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many look-ups, or too many that found nobody; so long to wait for the next.
    #[error("there were too many look-ups, or too many that found nobody")]
    Quota(Duration),
    /// The people.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// The accounts.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A payload that cannot be read, or a value that its key does not open.
    #[error("what the log says of these keys cannot be read")]
    Unreadable,
}

impl From<WriteError> for AliasError {
    fn from(error: WriteError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<SecretsError> for AliasError {
    fn from(error: SecretsError) -> Self {
        Self::Holder(error.into())
    }
}

impl From<sqlx::Error> for AliasError {
    fn from(error: sqlx::Error) -> Self {
        Self::Ledger(error.into())
    }
}

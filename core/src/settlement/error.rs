//! Why a use case of this context has no answer.

use crate::event_store::WriteError;
use crate::kernel::Refusal;
use crate::ledger::error::LedgerError;

/// A refusal or a failure.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger has no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Somebody may administer a part of the tenant, and this is not in it; where the body names it.
    #[error("this is beyond the units that the grant is about")]
    Beyond(&'static str),
    /// A payload that cannot be read.
    #[error("what the log says of this provider or service cannot be read")]
    Unreadable,
}

impl From<WriteError> for SettlementError {
    fn from(error: WriteError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<sqlx::Error> for SettlementError {
    fn from(error: sqlx::Error) -> Self {
        Self::Ledger(error.into())
    }
}

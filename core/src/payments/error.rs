//! Why a use case of this context has no answer.

use super::funding::Away;
use crate::access::AccessError;
use crate::event_store::WriteError;
use crate::holders::HolderError;
use crate::kernel::Refusal;
use crate::ledger::error::LedgerError;

/// A refusal or a failure. Nothing of a person is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger has no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The people between whom it is.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// What moves money outside.
    #[error(transparent)]
    Away(#[from] Away),
    /// The tenant.
    #[error(transparent)]
    Access(#[from] AccessError),
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

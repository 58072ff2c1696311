//! Why there is no receipt.

use crate::ledger::error::LedgerError;
use crate::secrets::SecretsError;

/// A failure of the receipts context.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Vault did not sign.
    #[error("the receipt could not be signed")]
    Secrets(#[from] SecretsError),
    /// There is no key to sign with.
    #[error("there is no key that signs receipts")]
    NoKey,
    /// What was recorded cannot be read.
    #[error("the recorded facts cannot be shown")]
    Unreadable,
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

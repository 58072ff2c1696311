//! Why a use case of this context did not happen.

use crate::kernel::Refusal;
use crate::secrets::SecretsError;

/// A refusal or a failure of the webhooks context.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Secrets cannot be sealed or opened now.
    #[error("the secret could not be sealed or opened")]
    Secrets(#[from] SecretsError),
    /// The connection was lost while committing. Repeating under the same key tells.
    #[error("the outcome is not known")]
    OutcomeUnknown,
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

//! Why a use case of this context has no answer.

use crate::event_store::WriteError;
use crate::kernel::Refusal;
use crate::secrets::SecretsError;

/// A refusal or a failure. Nothing of a person is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum HolderError {
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Vault or the database of keys.
    #[error("the person's key is not to be had")]
    Secrets(#[from] SecretsError),
    /// The person's key is no more, and the log knows of no erasure: it was restored from before it.
    #[error("the key of what the log says of this person was destroyed")]
    KeyGone,
    /// A ciphertext that its key does not open, or a payload that cannot be read.
    #[error("what the log says of this person cannot be read")]
    Unreadable,
    /// The shard's writer could not record the fact.
    #[error("the fact could not be recorded")]
    Write(#[from] WriteError),
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

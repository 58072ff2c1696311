//! Why a key was not rotated.

use crate::event_store::WriteError;
use crate::holders::reindex::ReindexError;
use crate::secrets::SecretsError;
use crate::webhooks::signature::BadKey;

/// A rotation stopped where it was; the next run goes on there.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Vault.
    #[error("Vault did not do it")]
    Secrets(#[from] SecretsError),
    /// The log: no key becomes current that it knows nothing of.
    #[error("the rotation could not be recorded")]
    Write(#[from] WriteError),
    /// Rows that the old key is still needed for.
    #[error("the rows that people are found by are not all under the new key")]
    Reindex(#[from] ReindexError),
    /// A key by which people are found does not change without their rows.
    #[error("this key is rotated by whoever can write the rows of people anew")]
    WithoutRows,
    /// What is in the ring of webhooks.
    #[error(transparent)]
    Webhooks(#[from] BadKey),
}

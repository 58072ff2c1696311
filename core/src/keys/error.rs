//! Why a key was not rotated.

use crate::event_store::WriteError;
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
    /// What is in the ring of webhooks.
    #[error(transparent)]
    Webhooks(#[from] BadKey),
}

//! Why a use case of citizens has no answer.

use crate::access::AccessError;
use crate::access::proving::Busy;
use crate::event_store::WriteError;
use crate::holders::HolderError;
use crate::kernel::{Refusal, RefusalCode};
use crate::ledger::error::LedgerError;
use crate::secrets::SecretsError;

/// A refusal or a failure. Nothing secret or personal is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum CitizenError {
    /// Who it is was not proven. There is one answer for all the ways in which it was not.
    #[error("the sign-in was refused")]
    NotProven,
    /// No session: unknown, ended, or its time is over.
    #[error("there is no such session, or it has ended")]
    NoSession,
    /// A refresh token that has long had a successor: the session has ended.
    #[error("the refresh token was used before; its session has ended, sign in again")]
    Reuse,
    /// Not the code that was sent.
    #[error("the code is not the one that was sent to this contact")]
    CodeInvalid,
    /// Used, too old, tried too often, or asked for by another device.
    #[error("there is no such code any more; ask for another")]
    CodeExpired,
    /// Not the PIN.
    #[error("the PIN is wrong")]
    PinInvalid,
    /// The PIN was wrong too often.
    #[error("the PIN is locked; recover to choose another")]
    PinLocked,
    /// The device is not the citizen's any more.
    #[error("the device is not, or no longer, one of yours")]
    DeviceUntrusted,
    /// Not signed by the session's device, or not what was to be signed.
    #[error("the signature is not by the session's device over the canonical form of what is confirmed")]
    SignatureInvalid,
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many secrets wait to be hashed.
    #[error("too many people sign in or confirm at once")]
    Overloaded,
    /// No message can be sent.
    #[error("no code can be sent from here")]
    NoMessages,
    /// Vault or the database of keys.
    #[error("the person's key is not to be had")]
    Secrets(#[from] SecretsError),
    /// The person behind it.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// The account.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The tenant.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// What is stored is not what this program writes.
    #[error("what is stored of the citizen cannot be read")]
    Unreadable,
    /// The shard's writer could not record the fact.
    #[error("the fact could not be recorded")]
    Write(#[from] WriteError),
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

/// The refusal of what is not there, or not theirs.
pub(super) fn nothing() -> CitizenError {
    Refusal::new(RefusalCode::NotFound, "there is nothing of this id").into()
}

impl From<Busy> for CitizenError {
    fn from(_: Busy) -> Self {
        Self::Overloaded
    }
}

//! Why a use case of the staff has no answer.

use crate::access::AccessError;
use crate::access::proving::Busy;
use crate::event_store::WriteError;
use crate::kernel::Refusal;
use crate::secrets::SecretsError;

/// A refusal or a failure. Nothing secret is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// Who it is was not proven. There is one answer for all the ways in which it was not.
    #[error("the sign-in was refused")]
    NotProven,
    /// No session: unknown, ended, or its time is over.
    #[error("there is no such session, or it has ended")]
    NoSession,
    /// The session's second factor was shown too long ago.
    #[error("this needs a second factor that was shown within the last minutes")]
    StepUp,
    /// Whom it is about holds more than whoever decides.
    #[error("the member holds more than you do: an administrator of the whole tenant decides about them")]
    HoldsMore,
    /// What is given, at a pointer, is more than the giver holds.
    #[error("nobody gives more than they hold themselves")]
    MoreThanHeld(String),
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many passwords wait to be hashed.
    #[error("too many sign-ins at once")]
    Overloaded,
    /// Vault or the database of keys.
    #[error("the member's key is not to be had")]
    Secrets(#[from] SecretsError),
    /// What is stored is not what this program writes.
    #[error("what is stored of the member cannot be read")]
    Unreadable,
    /// The shard's writer could not record the fact.
    #[error("the fact could not be recorded")]
    Write(#[from] WriteError),
    /// The tenant could not be found.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

impl From<Busy> for StaffError {
    fn from(_: Busy) -> Self {
        Self::Overloaded
    }
}

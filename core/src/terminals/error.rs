//! Why a use case of terminals has no answer.

use chrono::{DateTime, Utc};

use crate::access::AccessError;
use crate::event_store::WriteError;
use crate::kernel::{Refusal, RefusalCode};
use crate::secrets::SecretsError;
use crate::secrets::pki::BadRequest;

/// A refusal or a failure. No code is in any of them.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Wrong, used, too old, tried too often, another device's, or of a serial that nobody registered: there is one answer.
    #[error("there is no such code for this serial number any more; have another issued")]
    CodeExpired,
    /// Too many wrong codes for this device or from this place.
    #[error("too many codes were tried for this device or from this address")]
    Waiting,
    /// Not a request for a certificate that we sign.
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    /// A certificate of ours for a terminal that is not there.
    #[error("the certificate is not one of a terminal's that is registered here")]
    Unknown,
    /// The terminal does not work for a while.
    #[error("the terminal is suspended")]
    Suspended,
    /// The certificate is worth nothing: the terminal is lost, revoked or retired, or has another one since.
    #[error("the certificate was revoked, or another one has taken its place")]
    CertificateRevoked,
    /// Another message had this number.
    #[error("message {0} of this terminal was another one")]
    SequenceConflict(i64),
    /// The device's clock is wrong.
    #[error("the device's clock is more than five minutes off; it is {} here", crate::kernel::instant::to_text(*.0))]
    ClockSkew(DateTime<Utc>),
    /// Outside of the units that the caller is about.
    #[error("this unit is not one that you may do this in")]
    Elsewhere,
    /// The request says something that is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Vault.
    #[error("no certificate can be signed now")]
    Secrets(#[from] SecretsError),
    /// The tenant.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// What is stored is not what this program writes.
    #[error("what is stored of the terminal cannot be read")]
    Unreadable,
    /// The shard's writer could not record the fact.
    #[error("the fact could not be recorded")]
    Write(#[from] WriteError),
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

/// The refusal of what is not there, or not theirs.
pub(super) fn nothing() -> TerminalError {
    Refusal::new(RefusalCode::NotFound, "there is no such terminal").into()
}

//! Why a use case of this context did not happen.

use super::caller::UnknownScope;
use super::dpop::ProofError;
use crate::event_store::WriteError;

/// A refusal or a failure of the access context.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Unknown client, wrong secret or revoked client; which of them is nobody's business.
    #[error("the client is not known or its secret is wrong")]
    BadCredentials,
    /// The client is known, and calls from where it may not.
    #[error("the client may not call from this address")]
    WrongPlace,
    /// The client is bound to a key, and sent no proof that it has it.
    #[error("the client is bound to a key: send a proof in the header DPoP")]
    NoProof,
    /// The proof is not good.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The client asked for a scope that does not exist or that it was not granted.
    #[error("the client may not have a scope that it asks for")]
    ScopeNotGranted,
    /// A client without scopes could do nothing.
    #[error("a client needs at least one scope")]
    NoScopes,
    /// A scope that does not exist.
    #[error(transparent)]
    UnknownScope(#[from] UnknownScope),
    /// Not a slug.
    #[error("a tenant's name has 1 to 63 lower-case letters, digits and hyphens, and does not begin with a hyphen")]
    BadTenantName,
    /// Empty, too long, or with control characters.
    #[error("a client's name has 1 to 100 characters, none of them a control character")]
    BadClientName,
    /// Not in the IANA database.
    #[error("the time zone is not known; name one of IANA's, such as America/Sao_Paulo")]
    UnknownTimeZone,
    /// The shard is not set up.
    #[error("the shard does not exist")]
    UnknownShard,
    /// A tenant of this name, or a client of this name in the tenant, exists.
    #[error("the name is taken")]
    NameTaken,
    /// Not the code of an asset.
    #[error("an asset's code is a capital letter and up to 30 more of A-Z 0-9 . _ -")]
    NoAsset,
    /// Not a mode of ours.
    #[error("the legal modes are authorised, limited-purpose and sandbox")]
    UnknownLegalMode,
    /// Play money and real money must not meet in one ledger.
    #[error("a sandbox stays one, and no other tenant becomes one; create another tenant")]
    SandboxIsForEver,
    /// Not a name of the kind that tenants are called by.
    #[error("a hostname is written in lower case with at least one dot, without a port, such as wallet.example.org")]
    BadHostname,
    /// Another tenant is called so.
    #[error("the hostname is another tenant's")]
    HostnameTaken,
    /// The tenant was begun and not finished.
    #[error("the tenant is not finished; repeat the command that created it")]
    Unfinished,
    /// No tenant of this name or id.
    #[error("the tenant does not exist")]
    UnknownTenant,
    /// No client of this id.
    #[error("the client does not exist")]
    UnknownClient,
    /// The client was revoked, which is for ever.
    #[error("the client was revoked; create another one")]
    ClientRevoked,
    /// What the database holds is not what this program writes.
    #[error("the stored {what} is not of the form that this version writes")]
    Inconsistent {
        /// Which value.
        what: &'static str,
    },
    /// The shard's writer could not record the fact.
    #[error("the fact could not be recorded")]
    Write(#[from] WriteError),
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

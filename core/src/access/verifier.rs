//! Verifying access tokens.
//!
//! The order is from cheap to dear and from outside to inside: size, cache, header, key,
//! signature, claims. Verified tokens are remembered, because a signature costs about 0.1 ms of a
//! core and one client sends thousands of requests with one token.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use moka::sync::Cache;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::caller::{Caller, Proof, Scopes};
use super::client::may_come_from;
use super::dpop::{BoundToken, DpopProof, ProofError, Proofs};
use super::revocation::Revocations;
use super::signing_key::SigningKeys;
use super::thumbprint::Thumbprint;
use super::token::{AUDIENCE, Claims, Confirmation, TOKEN_LIFETIME, TOKEN_TYPE};
use crate::kernel::Network;
use crate::secrets::Followed;

/// Ours are below 700 bytes; anything longer is not worth parsing.
const TOKEN_BYTES_MAX: usize = 4_096;
/// Clocks of our own machines differ by less.
const LEEWAY_SECONDS: i64 = 5;
const REMEMBERED_MAX: u64 = 10_000;

/// Why a token is not accepted. All of these answer 401 alike; the difference is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any of ours.
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT of the form that we issue.
    #[error("the token is not of the form that we issue")]
    Malformed,
    /// Signed under a name that is not one of our keys.
    #[error("the token is signed by a key that is not ours")]
    UnknownKey,
    /// The signature is not by that key.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Issued by or for somebody else.
    #[error("the token was issued by or for somebody else")]
    WrongParty,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its client was revoked, or all tokens of its tenant were.
    #[error("the client or the token was revoked")]
    Revoked,
    /// It is bound to a certificate, and the connection is not made with that.
    #[error("the token is bound to a certificate that the connection is not made with")]
    OtherCertificate,
    /// It is bound to a key, and came without a proof.
    #[error("the token is bound to a key: send `Authorization: DPoP <token>` and a proof in the header DPoP")]
    NoProof,
    /// It came with a proof, and is bound to no key.
    #[error("the token is bound to no key: send `Authorization: Bearer <token>`")]
    NotBound,
    /// The proof is not good.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Its client may not call from there. The only one that is answered otherwise: the caller is known.
    #[error("the client may not call from this address")]
    WrongPlace,
}

/// Knows our keys and the tokens it verified lately.
pub struct TokenVerifier {
    keys: Followed<SigningKeys>,
    validation: Validation,
    verified: Cache<[u8; 32], Verified>,
    revocations: Arc<Revocations>,
    proofs: Proofs,
}

/// What a request brings along beside its token.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// A proof that it has a key, where the token is sent as one that is bound to a key.
    pub proof: Option<DpopProof<'a>>,
    /// The certificate that its connection is made with.
    pub certificate: Option<Thumbprint>,
    /// Where it comes from; asked only where it matters.
    pub address: &'a dyn Fn() -> Option<IpAddr>,
}

impl Default for Presented<'_> {
    fn default() -> Self {
        Self { proof: None, certificate: None, address: &|| None }
    }
}

/// Between when a token is good, for answers that take longer than a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    issued_at: i64,
    expires_at: i64,
}

/// Who presents a token.
#[derive(Debug, Clone)]
pub struct Identified {
    /// Who.
    pub caller: Caller,
    /// The key of the device that proved it.
    pub device: Option<Thumbprint>,
    /// How long that is good.
    pub validity: Validity,
}

#[derive(Clone)]
struct Verified {
    caller: Caller,
    networks: Arc<[Network]>,
    confirmation: Confirmation,
    kid: Arc<str>,
    issued_at: i64,
    expires_at: i64,
}

impl TokenVerifier {
    /// A verifier of tokens by this issuer.
    pub fn new(keys: Followed<SigningKeys>, issuer: &str, revocations: Arc<Revocations>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are checked below against the caller's clock, which tests can set.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let lifetime = Duration::from_secs(TOKEN_LIFETIME.unsigned_abs());
        let verified = Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(lifetime).build();
        Self { keys, validation, verified, revocations, proofs: Proofs::new(issuer) }
    }

    /// The same for a process that has begun: proofs from before that are not its own to judge.
    #[must_use]
    pub fn proving_since(mut self, start: DateTime<Utc>) -> Self {
        self.proofs = self.proofs.since(start);
        self
    }

    /// What checks the proofs of requests, also of those for a token.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// Who presents this token.
    pub fn verify(&self, token: &str, now: DateTime<Utc>, presented: &Presented<'_>) -> Result<Caller, TokenError> {
        self.identify(token, now, presented).map(|identified| identified.caller)
    }

    /// Who presents this token, on which device, and how long that is good.
    pub fn identify(
        &self,
        token: &str,
        now: DateTime<Utc>,
        presented: &Presented<'_>,
    ) -> Result<Identified, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let (instant, now) = (now, now.timestamp());
        // The key is a digest, so that a dump of the cache holds no token.
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let keys = self.keys.load();
        let remembered = self.verified.get(&key);
        let is_remembered = remembered.is_some();
        let verified = match remembered {
            Some(verified) if keys.verifying.contains_key(&*verified.kid) => verified,
            _ => self.verify_anew(&keys, token, now)?,
        };
        if now >= verified.expires_at.saturating_add(LEEWAY_SECONDS) {
            return Err(TokenError::Expired);
        }
        if self.revocations.contain(&verified.caller, verified.issued_at) {
            return Err(TokenError::Revoked);
        }
        if !verified.networks.is_empty() && !may_come_from(&verified.networks, (presented.address)()) {
            return Err(TokenError::WrongPlace);
        }
        self.confirm(&verified.confirmation, &key, presented, instant)?;
        let validity = Validity { issued_at: verified.issued_at, expires_at: verified.expires_at };
        let (caller, device) = (verified.caller.clone(), verified.confirmation.key);
        if !is_remembered {
            self.verified.insert(key, verified);
        }
        Ok(Identified { caller, device, validity })
    }

    /// Whether a token that was good is so still: neither its time is over, nor was it revoked, nor its session ended.
    pub fn is_still_good(&self, caller: &Caller, validity: Validity, now: DateTime<Utc>) -> bool {
        now.timestamp() < validity.expires_at.saturating_add(LEEWAY_SECONDS)
            && !self.revocations.contain(caller, validity.issued_at)
    }

    /// Whether who sends the token has what it is bound to.
    fn confirm(
        &self,
        bound: &Confirmation,
        digest: &[u8; 32],
        presented: &Presented<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), TokenError> {
        if bound.certificate.is_some() && bound.certificate != presented.certificate {
            return Err(TokenError::OtherCertificate);
        }
        match (bound.key, &presented.proof) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(TokenError::NotBound),
            (Some(_), None) => Err(TokenError::NoProof),
            (Some(key), Some(proof)) => {
                self.proofs.check(proof, Some(BoundToken { key, digest }), now)?;
                Ok(())
            }
        }
    }

    /// Forgets every verified token, so that each is checked again.
    pub fn forget_all(&self) {
        self.verified.invalidate_all();
    }

    fn verify_anew(&self, keys: &SigningKeys, token: &str, now: i64) -> Result<Verified, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        // `crit` names extensions that must be understood; we know none.
        let is_ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(TOKEN_TYPE)
            && header.crit.is_none()
            && header.zip.is_none()
            && names_no_key(&header);
        if !is_ours {
            return Err(TokenError::Malformed);
        }
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let Some(key) = keys.verifying.get(&kid) else {
            // Another process may sign with a key that this one has not heard of.
            self.keys.doubt();
            return Err(TokenError::UnknownKey);
        };
        let claims =
            jsonwebtoken::decode::<Claims>(token, key, &self.validation).map_err(|error| explain(error.kind()))?.claims;
        if now + LEEWAY_SECONDS < claims.nbf || now + LEEWAY_SECONDS < claims.iat {
            return Err(TokenError::NotYetValid);
        }
        let scopes = Scopes::parse(&claims.scope).map_err(|_| TokenError::Malformed)?;
        let proof = claims.citizen.map_or(Proof::Client(scopes), Proof::Citizen);
        let caller = Caller { tenant: claims.tenant, subject: claims.sub, proof };
        let networks: Result<Vec<Network>, _> = claims.networks.iter().map(|text| text.parse()).collect();
        let networks = networks.map_err(|_| TokenError::Malformed)?.into();
        // An empty one would bind to nothing.
        let confirmation = claims.cnf.unwrap_or_default();
        if claims.cnf.is_some() && confirmation.is_none() {
            return Err(TokenError::Malformed);
        }
        // A citizen is always on a device of theirs.
        if claims.citizen.is_some() && confirmation.key.is_none() {
            return Err(TokenError::Malformed);
        }
        Ok(Verified { caller, networks, confirmation, kid: kid.into(), issued_at: claims.iat, expires_at: claims.exp })
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Whether a header leaves it to us which key is meant. One that brings a key along, or says where one is to be had, is none
/// of ours, and is not looked at further.
fn names_no_key(header: &Header) -> bool {
    let Header { jku, jwk, x5u, x5c, x5t, x5t_s256, .. } = header;
    jku.is_none() && jwk.is_none() && x5u.is_none() && x5c.is_none() && x5t.is_none() && x5t_s256.is_none()
}

fn explain(kind: &jsonwebtoken::errors::ErrorKind) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => TokenError::BadSignature,
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => TokenError::WrongParty,
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests;

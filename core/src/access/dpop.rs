//! Proofs that a caller has a key (DPoP, RFC 9449): a small JWT for every request, signed with a key that never leaves the
//! caller's device. A token that names the key is worth nothing without it.
//!
//! A proof is good for one request: one method, one address, one token, once, within a minute of its time. What says so is
//! signed, so the signature is checked first and everything else is read afterwards. The algorithm is the key's own.
//!
//! That a proof was used is remembered by the process that saw it. nginx sends all requests with one bound token to the same
//! process, and a proof names its token; a process that has just begun takes no proof from before. So a second
//! process needs no common memory, and no request waits for one.

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use url::Url;

use super::proof_key::{Jwk, Jws, ProofKey};
use super::seen::Seen;
use super::thumbprint::Thumbprint;

/// The algorithms that proofs may be signed with, as an answer names them.
pub const PROOF_ALGORITHMS: &str = "ES256 EdDSA";
/// How far a proof's time may be from ours, in seconds: clocks of telephones are wrong.
pub const PROOF_SECONDS: i64 = 60;
/// Proofs are below 600 bytes, and a long address may stand in one.
const PROOF_BYTES_MAX: usize = 2_048;
const JTI_BYTES_MAX: usize = 256;
const PROOF_TYPE: &str = "dpop+jwt";
/// How many proofs one process remembers at most; 100 MB of them.
const REMEMBERED_MAX: usize = 2_000_000;

/// Why a proof is not accepted. Whoever sends it may know: the key is their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a JWT with the members that a proof has.
    #[error("the proof is not a JWT of the type dpop+jwt with a public key and the members jti, htm, htu and iat")]
    Malformed,
    /// A key that is not of the types we take, or an algorithm that is not the key's.
    #[error("the proof's key is neither P-256 with ES256 nor Ed25519 with EdDSA")]
    BadKey,
    /// The key came with its private half.
    #[error("the proof carries a private key; make a new key, this one is known to others now")]
    PrivateKey,
    /// The signature is not by that key.
    #[error("the proof's signature is wrong")]
    BadSignature,
    /// Made for another request.
    #[error(
        "the proof was made for another method or address: htm and htu are those of this request, without its query"
    )]
    OtherRequest,
    /// Too old, or from the future.
    #[error("the proof's iat is more than 60 seconds from the server's clock, or before the server's start")]
    OtherTime,
    /// Made for another token.
    #[error("the proof's ath is not the SHA-256 of the token")]
    OtherToken,
    /// Made by another key than the one that the token or the client is bound to.
    #[error("the proof was made by another key than the one that is bound")]
    OtherKey,
    /// Used before.
    #[error("the proof was used before; make one for each request")]
    Used,
    /// The memory of used proofs is full, so nothing can be said.
    #[error("too many proofs were used within the last minutes")]
    TooMany,
}

/// What a request brings along.
#[derive(Debug, Clone, Copy)]
pub struct DpopProof<'a> {
    /// The header `DPoP`.
    pub text: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's path, as it was sent.
    pub path: &'a str,
}

/// The token that a proof goes with.
#[derive(Debug, Clone, Copy)]
pub struct BoundToken<'a> {
    /// The key that it is bound to.
    pub key: Thumbprint,
    /// Its SHA-256.
    pub digest: &'a [u8; 32],
}

/// Checks proofs and remembers those that were used.
pub struct Proofs {
    base: String,
    since: i64,
    seen: Seen,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    jwk: Jwk<'a>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    jti: Cow<'a, str>,
    #[serde(borrow)]
    htm: Cow<'a, str>,
    #[serde(borrow)]
    htu: Cow<'a, str>,
    iat: i64,
    #[serde(borrow, default)]
    ath: Option<Cow<'a, str>>,
}

impl Proofs {
    /// Proofs of requests below our public address; it, and not the header `Host`, says where a request was sent.
    pub fn new(base: &str) -> Self {
        Self { base: base.to_owned(), since: i64::MIN, seen: Seen::new(2 * PROOF_SECONDS + 1, REMEMBERED_MAX) }
    }

    /// Takes no proof from before that: another process may have seen it.
    #[must_use]
    pub fn since(mut self, start: DateTime<Utc>) -> Self {
        self.since = start.timestamp();
        self
    }

    /// Checks a proof; answers whose it is.
    pub fn check(
        &self,
        proof: &DpopProof<'_>,
        token: Option<BoundToken<'_>>,
        now: DateTime<Utc>,
    ) -> Result<Thumbprint, ProofError> {
        self.key(proof, token, now).map(|key| key.thumbprint())
    }

    /// The same; answers the key itself.
    pub fn key(
        &self,
        proof: &DpopProof<'_>,
        token: Option<BoundToken<'_>>,
        now: DateTime<Utc>,
    ) -> Result<ProofKey, ProofError> {
        if proof.text.len() > PROOF_BYTES_MAX {
            return Err(ProofError::Malformed);
        }
        let jws = Jws::parse(proof.text).ok_or(ProofError::Malformed)?;
        let header: Header<'_> = serde_json::from_slice(&jws.header).map_err(|_| ProofError::Malformed)?;
        if header.typ != PROOF_TYPE || header.crit.is_some() {
            return Err(ProofError::Malformed);
        }
        let key = ProofKey::of(&header.jwk)?;
        if !key.signs_with(&header.alg) {
            return Err(ProofError::BadKey);
        }
        if token.is_some_and(|token| token.key != key.thumbprint()) {
            return Err(ProofError::OtherKey);
        }
        if !key.has_signed(jws.signed.as_bytes(), &jws.signature) {
            return Err(ProofError::BadSignature);
        }
        let claims: Claims<'_> = serde_json::from_slice(&jws.claims).map_err(|_| ProofError::Malformed)?;
        self.check_claims(&claims, proof, token, now.timestamp())?;
        self.use_up(key.thumbprint(), &claims.jti, now.timestamp())?;
        Ok(key)
    }

    fn check_claims(
        &self,
        claims: &Claims<'_>,
        proof: &DpopProof<'_>,
        token: Option<BoundToken<'_>>,
        now: i64,
    ) -> Result<(), ProofError> {
        if claims.jti.is_empty() || claims.jti.len() > JTI_BYTES_MAX {
            return Err(ProofError::Malformed);
        }
        if claims.htm != proof.method || !self.is_address(&claims.htu, proof.path) {
            return Err(ProofError::OtherRequest);
        }
        let is_timely = claims.iat.abs_diff(now) <= PROOF_SECONDS.unsigned_abs() && claims.iat >= self.since;
        if !is_timely {
            return Err(ProofError::OtherTime);
        }
        let Some(token) = token else { return Ok(()) };
        let named = claims.ath.as_deref().and_then(|text| text.parse::<Thumbprint>().ok());
        if named.is_some_and(|named| named.as_bytes() == token.digest) { Ok(()) } else { Err(ProofError::OtherToken) }
    }

    /// Whether a text is the address of a path of ours, however it is spelled.
    fn is_address(&self, htu: &str, path: &str) -> bool {
        let bare = htu.split(['?', '#']).next().unwrap_or_default();
        let is_spelled_alike = bare.strip_prefix(&*self.base) == Some(path);
        is_spelled_alike || {
            let own = Url::parse(&format!("{}{path}", self.base));
            Url::parse(bare).is_ok_and(|bare| own.is_ok_and(|own| own == bare))
        }
    }

    fn use_up(&self, key: Thumbprint, jti: &str, now: i64) -> Result<(), ProofError> {
        let mut context = Context::new(&SHA256);
        context.update(key.as_bytes());
        context.update(jti.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&context.finish().as_ref()[..16]);
        match self.seen.insert(u128::from_be_bytes(half), now) {
            Some(true) => Ok(()),
            Some(false) => Err(ProofError::Used),
            None => Err(ProofError::TooMany),
        }
    }
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs").field("base", &self.base).field("since", &self.since).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

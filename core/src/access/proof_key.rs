//! The keys of callers' devices: P-256, which the secure hardware of telephones offers, and Ed25519. A key comes as a JWK, signs
//! compact JWS (RFC 7515) with the one algorithm that is its own, and is known by its thumbprint.

use std::borrow::Cow;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::dpop::ProofError;
use super::thumbprint::Thumbprint;

/// A public key that signs proofs.
pub struct ProofKey {
    algorithm: &'static dyn VerificationAlgorithm,
    /// A point without compression, or the 32 bytes of Ed25519.
    bytes: Vec<u8>,
    /// Its one form as a JWK (RFC 7638).
    jwk: String,
    thumbprint: Thumbprint,
}

/// A key by RFC 7517. Members that only a secret key has are refused; those that we know nothing of are not read.
#[derive(Deserialize)]
pub(super) struct Jwk<'a> {
    #[serde(borrow)]
    kty: Cow<'a, str>,
    #[serde(borrow, default)]
    crv: Cow<'a, str>,
    #[serde(borrow, default)]
    x: Cow<'a, str>,
    #[serde(borrow, default)]
    y: Cow<'a, str>,
    #[serde(borrow, rename = "use")]
    purpose: Option<Cow<'a, str>>,
    #[serde(borrow)]
    key_ops: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    alg: Option<Cow<'a, str>>,
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

/// A number of 256 bits has the same form as a thumbprint.
type Coordinate = Thumbprint;

impl ProofKey {
    /// Reads a public key as a JWK.
    pub fn from_jwk(text: &str) -> Result<Self, ProofError> {
        Self::of(&serde_json::from_str(text).map_err(|_| ProofError::BadKey)?)
    }

    pub(super) fn of(jwk: &Jwk<'_>) -> Result<Self, ProofError> {
        if jwk.d.is_some() || jwk.k.is_some() {
            return Err(ProofError::PrivateKey);
        }
        let coordinate = |text: &str| text.parse::<Coordinate>().map_err(|_| ProofError::BadKey);
        let x = coordinate(&jwk.x)?;
        let (algorithm, bytes, text): (&'static dyn VerificationAlgorithm, _, _) = match (&*jwk.kty, &*jwk.crv) {
            ("EC", "P-256") => {
                let y = coordinate(&jwk.y)?;
                let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
                (&ECDSA_P256_SHA256_FIXED, [&[4], &x.as_bytes()[..], y.as_bytes()].concat(), text)
            }
            ("OKP", "Ed25519") => {
                (&ED25519, x.as_bytes().to_vec(), format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#))
            }
            _ => return Err(ProofError::BadKey),
        };
        let key = Self { algorithm, bytes, thumbprint: Thumbprint::of(text.as_bytes()), jwk: text };
        // A key that says what it is for is used for nothing else.
        let is_to_sign = jwk.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && jwk.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"))
            && jwk.alg.as_deref().is_none_or(|name| key.signs_with(name));
        if is_to_sign { Ok(key) } else { Err(ProofError::BadKey) }
    }

    /// Its canonical form (RFC 7638), which it is read from again.
    pub fn jwk(&self) -> String {
        self.jwk.clone()
    }

    /// SHA-256 of its canonical form (RFC 7638).
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// Whether an algorithm of this name is the key's own.
    pub(super) fn signs_with(&self, name: &str) -> bool {
        let is_ec = self.bytes.len() == 65;
        // RFC 9864 gives EdDSA over Ed25519 a name of its own.
        if is_ec { name == "ES256" } else { matches!(name, "EdDSA" | "Ed25519") }
    }

    /// Whether it signed the message. A key that is no point of its curve has signed nothing.
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.bytes).verify(message, signature).is_ok()
    }
}

impl std::fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProofKey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// The parts of a compact JWS, decoded; nothing of them is believed yet.
pub(super) struct Jws<'a> {
    pub(super) signed: &'a str,
    pub(super) header: Vec<u8>,
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Three parts of base64url in its one spelling.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        Some(Self { signed, header: decode(header)?, claims: decode(claims)?, signature: decode(signature)? })
    }
}

//! The Ed25519 keys that sign our tokens.
//!
//! Vault keeps them as a ring under `kv/token-signing`, and every process follows it. One key is
//! current and signs; all verify. A rotation therefore adds a key first, makes it current when
//! every process and every cache of the JWKS knows it, and drops the old one when its last token has ended.

use std::collections::HashMap;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::secrets::{KeyRing, RingKey, is_weak};

/// How long others may keep the JWKS, in seconds: a new key is published for longer before it signs.
pub const JWKS_MAX_AGE: u64 = 300;

/// Why the keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PKCS #8 PEM of an Ed25519 key.
    #[error("the signing key {kid} is not an Ed25519 private key in PKCS #8 PEM")]
    NotEd25519 {
        /// Which.
        kid: String,
    },
    /// One that somebody typed or published.
    #[error("the signing key {kid} is weak or published; rotate it away with `vintem keys rotate`")]
    Weak {
        /// Which.
        kid: String,
    },
    /// Two keys of one name.
    #[error("two signing keys are named {kid}")]
    Duplicate {
        /// Which.
        kid: String,
    },
    /// `current` names no key.
    #[error("the current signing key {kid} is not among the keys")]
    NoCurrent {
        /// Which.
        kid: String,
    },
}

/// The keys in usable form.
pub struct SigningKeys {
    pub(super) current_kid: String,
    pub(super) current: EncodingKey,
    pub(super) verifying: HashMap<String, DecodingKey>,
    jwks: Value,
}

impl SigningKeys {
    /// Takes the keys of the ring, each a private key in PKCS #8 PEM.
    pub fn try_new(ring: &KeyRing) -> Result<Self, KeyError> {
        let mut current = None;
        let mut verifying = HashMap::new();
        let mut published = Vec::new();
        for RingKey { kid, key: pkcs8_pem, .. } in &ring.keys {
            let not_ed25519 = || KeyError::NotEd25519 { kid: kid.clone() };
            let pair = key_pair(pkcs8_pem).ok_or_else(not_ed25519)?;
            if has_weak_seed(&pair) {
                return Err(KeyError::Weak { kid: kid.clone() });
            }
            let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
            let decoding = DecodingKey::from_ed_components(&x).map_err(|_| not_ed25519())?;
            if verifying.insert(kid.clone(), decoding).is_some() {
                return Err(KeyError::Duplicate { kid: kid.clone() });
            }
            if *kid == ring.current {
                let pem = pkcs8_pem.expose_secret().as_bytes();
                current = Some(EncodingKey::from_ed_pem(pem).map_err(|_| not_ed25519())?);
            }
            published.push(json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x,
            }));
        }
        let current = current.ok_or_else(|| KeyError::NoCurrent { kid: ring.current.clone() })?;
        let jwks = json!({ "keys": published });
        Ok(Self { current_kid: ring.current.clone(), current, verifying, jwks })
    }

    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").field("current", &self.current_kid).finish_non_exhaustive()
    }
}

/// A new private key in PKCS #8 PEM, to be put into Vault.
pub fn generate_signing_key() -> SecretString {
    let pair = Ed25519KeyPair::generate().expect("the system's random generator works");
    // Version 1 carries no public key and is what most readers of PEM understand.
    let document = pair.to_pkcs8v1().expect("a key in memory has a PKCS #8 form");
    let text = Zeroizing::new(STANDARD.encode(document.as_ref()));
    SecretString::from(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *text))
}

fn key_pair(pem: &SecretString) -> Option<Ed25519KeyPair> {
    let body = pem
        .expose_secret()
        .trim()
        .strip_prefix("-----BEGIN PRIVATE KEY-----")?
        .strip_suffix("-----END PRIVATE KEY-----")?;
    let body = Zeroizing::new(body.split_ascii_whitespace().collect::<String>());
    let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    // "Maybe unchecked" is about PKCS #8 version 1, which holds no public half to check against.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()
}

/// Ed25519 keys are drawn as 32 bytes, which may be as weak as any.
fn has_weak_seed(pair: &Ed25519KeyPair) -> bool {
    let seed = pair.seed().and_then(|seed| seed.as_be_bytes());
    seed.is_ok_and(|seed| seed.as_ref().try_into().is_ok_and(is_weak))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use chrono::DateTime;

    /// Keys of these names; the first is current.
    pub(in crate::access) fn secret(kids: &[&str]) -> KeyRing {
        let key = |kid: &&str| RingKey {
            kid: (*kid).to_owned(),
            key: generate_signing_key(),
            added_at: DateTime::UNIX_EPOCH,
            retired_at: None,
        };
        KeyRing { current: kids[0].to_owned(), keys: kids.iter().map(key).collect() }
    }

    #[test]
    fn a_generated_key_signs_and_is_published_without_its_private_half() {
        let keys = SigningKeys::try_new(&secret(&["new", "old"])).unwrap();
        let published = keys.jwks()["keys"].as_array().unwrap();
        assert_eq!(published.len(), 2);
        assert_eq!(published[1]["kid"], "old");
        assert!(published.iter().all(|key| key.get("d").is_none() && key["x"].as_str().unwrap().len() == 43));
        assert_eq!(keys.current_kid, "new");
    }

    #[test]
    fn unusable_keys_are_refused_by_name() {
        let mut duplicate = secret(&["a", "b"]);
        duplicate.keys[1].kid = "a".to_owned();
        assert_eq!(SigningKeys::try_new(&duplicate).unwrap_err(), KeyError::Duplicate { kid: "a".to_owned() });
        let mut missing = secret(&["a"]);
        missing.current = "z".to_owned();
        assert_eq!(SigningKeys::try_new(&missing).unwrap_err(), KeyError::NoCurrent { kid: "z".to_owned() });
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no pem"] {
            let mut broken = secret(&["a"]);
            broken.keys[0].key = SecretString::from(pem);
            assert_eq!(SigningKeys::try_new(&broken).unwrap_err(), KeyError::NotEd25519 { kid: "a".to_owned() });
        }
    }

    #[test]
    fn a_published_key_is_refused() {
        // RFC 8032 §7.1, test 1, and a key of ones.
        for seed in ["nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="] {
            let mut der = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIA==").unwrap();
            der.extend(STANDARD.decode(seed).unwrap());
            let mut ring = secret(&["a"]);
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
            ring.keys[0].key = SecretString::from(pem);
            assert_eq!(SigningKeys::try_new(&ring).unwrap_err(), KeyError::Weak { kid: "a".to_owned() });
        }
    }

    #[test]
    fn the_secret_reads_from_vaults_json() {
        let ring = KeyRing::new(generate_signing_key(), DateTime::UNIX_EPOCH);
        let read: KeyRing = serde_json::from_value(ring.to_secret()).unwrap();
        assert!(SigningKeys::try_new(&read).is_ok());
    }
}

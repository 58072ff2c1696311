//! Blind indexes: finding a person by a number without keeping the number.
//!
//! What is kept is a keyed digest. A plain one would be no secret: there are only a thousand million CPFs, and trying them
//! all takes a minute. The same holds for the fingerprints of requests that carry such numbers ([`RequestDigest`]).

use std::time::Duration;

use aws_lc_rs::hmac;
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::client::Vault;
use super::error::SecretsError;
use super::followed::Followed;
use super::kv::decode_key;

/// Where the keys are in Vault's KV engine.
const KEYS: &str = "blind-index";
/// Where the one of requests is. It is never replaced: fingerprints are compared for ever.
const REQUESTS: &str = "request-digest";
/// Stands before every input, so that no other use of a key can give the same digest.
const DOMAIN: &[u8] = b"vintem:blind-index:1";

/// The digest of one value under one version of the key.
pub type Versioned = (i16, [u8; 32]);

/// The keys of blind indexes, of which there are two while one replaces the other; as new as Vault has them. Cheap to clone.
#[derive(Clone)]
pub struct BlindIndex(Followed<Vec<(i16, hmac::Key)>>);

/// The keys as they stand in Vault: a ring whose names are numbers. Which of them is current makes no difference here.
#[derive(Deserialize)]
struct BlindIndexSecret {
    keys: Vec<VersionedSecret>,
}

#[derive(Deserialize)]
struct VersionedSecret {
    #[serde(alias = "kid")]
    version: Version,
    key: SecretString,
}

/// A ring names its keys by text; before there was one, `version` was a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Number(i16),
    Name(String),
}

impl Version {
    fn number(&self) -> Option<i16> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(name) => name.parse().ok(),
        }
    }
}

impl BlindIndex {
    /// Reads the keys, and looks so often whether there are others.
    pub async fn follow(vault: &Vault, every: Duration) -> Result<Self, SecretsError> {
        Ok(Self(Followed::follow(vault, KEYS, every, taken).await?))
    }

    /// Of the keys as they stand now.
    pub async fn read(vault: &Vault) -> Result<Self, SecretsError> {
        Ok(Self(Followed::fixed(taken(vault.read(KEYS).await?)?)))
    }

    /// Of keys that are at hand.
    pub fn of(keys: &[(i16, [u8; 32])]) -> Self {
        let keys = keys.iter().map(|(version, key)| (*version, hmac::Key::new(hmac::HMAC_SHA256, key)));
        Self(Followed::fixed(keys.collect::<Vec<_>>()))
    }

    /// The digests of a value, one per key: all of them are looked for, and all of them are written.
    pub fn digests(&self, tenant: Uuid, kind: &str, value: &str) -> Vec<Versioned> {
        self.0.load().iter().map(|(version, key)| (*version, digest(key, tenant, kind, value))).collect()
    }
}

fn taken(BlindIndexSecret { keys }: BlindIndexSecret) -> Result<Vec<(i16, hmac::Key)>, SecretsError> {
    let key = |VersionedSecret { version, key }| {
        let key: Zeroizing<[u8; 32]> = decode_key(&key)?;
        Some((version.number()?, hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    };
    let keys: Option<Vec<_>> = keys.into_iter().map(key).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| SecretsError::BadKey { path: KEYS.to_owned() })
}

/// The key of fingerprints of requests that carry something personal.
#[derive(Clone)]
pub struct RequestDigest(hmac::Key);

impl RequestDigest {
    /// Reads the key.
    pub async fn read(vault: &Vault) -> Result<Self, SecretsError> {
        Ok(Self::of(&*vault.read_key(REQUESTS).await?))
    }

    /// Of a key that is at hand.
    pub fn of(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The same key for passwords: what is made for one purpose says nothing for another.
    pub fn pepper(&self) -> Pepper {
        Pepper(self.0.clone())
    }

    /// The fingerprint of a request in place of a plain digest, which could be tried out.
    pub fn fingerprint(&self, fingerprint: &[u8; 32]) -> [u8; 32] {
        sign(&self.0, &[b"vintem:request:1", fingerprint])
    }
}

/// What is mixed into passwords before they are hashed, and what names that must not be tried out are kept under. Never
/// replaced either: nobody could compare with what was made before.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// Of a key that is at hand.
    pub fn of(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A password with it.
    pub fn apply(&self, password: &[u8]) -> [u8; 32] {
        sign(&self.0, &[b"vintem:password:1", password])
    }

    /// The name of something in parts.
    pub fn name(&self, parts: &[&[u8]]) -> [u8; 32] {
        sign(&self.0, &[&[&b"vintem:name:1"[..]], parts].concat())
    }
}

fn digest(key: &hmac::Key, tenant: Uuid, kind: &str, value: &str) -> [u8; 32] {
    sign(key, &[DOMAIN, tenant.as_bytes(), kind.as_bytes(), value.as_bytes()])
}

/// Each part with its length before it, so that no two inputs have the same bytes.
fn sign(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.sign().as_ref());
    digest
}

impl std::fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindIndex([REDACTED])")
    }
}

impl std::fmt::Debug for RequestDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestDigest([REDACTED])")
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    #[test]
    fn a_digest_belongs_to_its_key_tenant_kind_and_value() {
        let (ana, bia) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let index = BlindIndex::of(&[(1, [7; 32]), (2, [8; 32])]);
        let digests = index.digests(ana, "cpf", "52998224725");
        assert_eq!(digests.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(digests, index.digests(ana, "cpf", "52998224725"));
        assert_ne!(digests[0].1, digests[1].1);
        for other in [
            index.digests(bia, "cpf", "52998224725"),
            index.digests(ana, "phone", "52998224725"),
            index.digests(ana, "cpf", "52998224726"),
            index.digests(ana, "cp", "f52998224725"),
        ] {
            assert!(other.iter().zip(&digests).all(|(other, own)| other.1 != own.1));
        }
        assert_eq!(BlindIndex::of(&[(2, [8; 32])]).digests(ana, "cpf", "52998224725"), digests[1..]);
    }

    #[test]
    fn keys_are_read_from_a_ring_and_from_before_there_was_one() {
        let key = base64::engine::general_purpose::STANDARD.encode(super::super::random::bytes::<32>());
        let ring = serde_json::json!({ "current": "2", "keys": [{ "kid": "2", "key": key, "added_at": "2026-11-29T00:00:00Z" }] });
        let before = serde_json::json!({ "current": 2, "keys": [{ "version": 2, "key": key }] });
        for kept in [ring, before] {
            let keys = taken(serde_json::from_value(kept).unwrap()).unwrap();
            assert_eq!(keys[0].0, 2);
        }
        let named = serde_json::json!({ "keys": [{ "kid": "dEf", "key": key }] });
        assert!(taken(serde_json::from_value(named).unwrap()).is_err());
    }

    #[test]
    fn a_fingerprint_cannot_be_made_without_the_key() {
        let (own, other) = (RequestDigest::of(&[1; 32]), RequestDigest::of(&[2; 32]));
        assert_eq!(own.fingerprint(&[5; 32]), own.fingerprint(&[5; 32]));
        assert_ne!(own.fingerprint(&[5; 32]), other.fingerprint(&[5; 32]));
        assert_ne!(own.fingerprint(&[5; 32]), own.fingerprint(&[6; 32]));
        assert!(!format!("{own:?} {:?}", BlindIndex::of(&[(1, [7; 32])])).contains('7'));
    }

    #[test]
    fn a_pepper_serves_two_purposes_that_do_not_meet() {
        let pepper = RequestDigest::of(&[1; 32]).pepper();
        assert_ne!(pepper.apply(b"ana"), pepper.name(&[b"ana"]));
        assert_ne!(pepper.name(&[b"an", b"a"]), pepper.name(&[b"ana"]));
        assert_eq!(pepper.name(&[b"ana"]), Pepper::of(&[1; 32]).name(&[b"ana"]));
        assert_ne!(pepper.apply(b"ana"), Pepper::of(&[2; 32]).apply(b"ana"));
        assert_eq!(format!("{pepper:?}"), "Pepper([REDACTED])");
    }
}

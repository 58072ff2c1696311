//! Signatures of messages, as Standard Webhooks has them.
//!
//! Signed are the message's id, the time of the attempt and the body's bytes. `v1` is HMAC-SHA256 with a secret that the
//! endpoint's owner shares with us; `v1a` is Ed25519 with a key of this installation, which proves a message also to
//! somebody who must not be able to forge one. One header holds them all: a receiver takes the first that it can check.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secrets::{KeyRing, RingKey, is_weak, random};

const SECRET: &str = "whsec_";
const PRIVATE: &str = "whsk_";
const PUBLIC: &str = "whpk_";

/// An endpoint's shared secret.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Draws one.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random::bytes::<32>().to_vec()))
    }

    /// From its bytes.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its text, to be shown to its owner once.
    pub fn reveal(&self) -> SecretString {
        SecretString::from(format!("{SECRET}{}", *Zeroizing::new(STANDARD.encode(&*self.0))))
    }

    fn sign(&self, content: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), content);
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}

/// The secret `kv/webhook-public`, which is none: the public halves, so that who shows them need not be able to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// Each `whpk_` and the base64 of a public key of 32 bytes.
    pub keys: Vec<String>,
}

/// A key of `kv/webhook-signing` is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook signing key is not whsk_ and the base64 of 32 random bytes: it is weak or published, or has another form"
)]
pub struct BadKey;

/// The installation's keys in usable form, from the ring `kv/webhook-signing`. Every one of them signs, so that receivers may
/// know the old one or the new one.
pub struct SigningKeys(Vec<Ed25519KeyPair>);

impl SigningKeys {
    /// Takes the keys of the ring, each `whsk_` and the base64 of a seed of 32 bytes.
    pub fn try_new(ring: &KeyRing) -> Result<Self, BadKey> {
        let pair = |RingKey { key, .. }: &RingKey| {
            let text = key.expose_secret().strip_prefix(PRIVATE).ok_or(BadKey)?;
            let seed = Zeroizing::new(STANDARD.decode(text).map_err(|_| BadKey)?);
            if is_weak(seed.as_slice().try_into().map_err(|_| BadKey)?) {
                return Err(BadKey);
            }
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| BadKey)
        };
        ring.keys.iter().map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// The public halves as receivers know them.
    pub fn public(&self) -> PublicKeys {
        PublicKeys {
            keys: self.0.iter().map(|pair| format!("{PUBLIC}{}", STANDARD.encode(pair.public_key()))).collect(),
        }
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKeys").field(&self.public().keys).finish()
    }
}

/// A new key of an installation, to be put into Vault.
pub fn generate_signing_key() -> SecretString {
    let seed = Zeroizing::new(random::bytes::<32>());
    SecretString::from(format!("{PRIVATE}{}", *Zeroizing::new(STANDARD.encode(*seed))))
}

/// The header `webhook-signature` of one attempt.
pub fn header(id: &str, timestamp: i64, body: &[u8], secrets: &[&Secret], keys: &SigningKeys) -> String {
    let mut content = format!("{id}.{timestamp}.").into_bytes();
    content.extend_from_slice(body);
    let shared = secrets.iter().map(|secret| secret.sign(&content));
    let public = keys.0.iter().map(|pair| format!("v1a,{}", STANDARD.encode(pair.sign(&content))));
    shared.chain(public).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use chrono::DateTime;

    fn ring(keys: impl IntoIterator<Item = SecretString>) -> KeyRing {
        let mut keys = keys.into_iter();
        let mut ring = KeyRing::new(keys.next().unwrap(), DateTime::UNIX_EPOCH);
        keys.for_each(|key| _ = ring.announce(key, DateTime::UNIX_EPOCH));
        ring
    }

    fn keys(count: usize) -> SigningKeys {
        SigningKeys::try_new(&ring((0..count).map(|_| generate_signing_key()))).unwrap()
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let secret = Secret::from_bytes(Zeroizing::new(vec![0x0b; 20]));
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        let signed = STANDARD.decode(secret.sign(b"Hi There").strip_prefix("v1,").unwrap()).unwrap();
        assert_eq!(signed.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")), expected);
    }

    #[test]
    fn ed25519_is_that_of_rfc_8032() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
            0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let keys = SigningKeys(vec![Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()]);
        assert_eq!(keys.public().keys, ["whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]);
    }

    #[test]
    fn one_header_holds_every_signature() {
        let (old, new, keys) = (Secret::generate(), Secret::generate(), keys(2));
        let header = header("msg_1", 1_614_265_330, b"{}", &[&new, &old], &keys);
        let signatures: Vec<&str> = header.split(' ').collect();
        assert_eq!(signatures.len(), 4);
        assert_eq!(signatures[0], new.sign(b"msg_1.1614265330.{}"));
        assert_eq!(signatures[1], old.sign(b"msg_1.1614265330.{}"));
        for (signature, public) in signatures[2..].iter().zip(keys.public().keys) {
            let bytes = |text: &str, prefix: &str| STANDARD.decode(text.strip_prefix(prefix).unwrap()).unwrap();
            let public = UnparsedPublicKey::new(&ED25519, bytes(&public, PUBLIC));
            public.verify(b"msg_1.1614265330.{}", &bytes(signature, "v1a,")).unwrap();
            assert!(public.verify(b"msg_1.1614265330.{ }", &bytes(signature, "v1a,")).is_err());
        }
    }

    #[test]
    fn what_is_secret_is_recognisable_and_not_printed() {
        let secret = Secret::generate();
        assert!(secret.reveal().expose_secret().starts_with(SECRET));
        assert_eq!(format!("{secret:?}"), "Secret([REDACTED])");
        assert!(!format!("{:?}", keys(1)).contains(PRIVATE));
        // Published ones, such as that of the RFC, and typed ones are none.
        let typed = format!("{PRIVATE}{}", STANDARD.encode("a secret of thirty-two letters!!"));
        let published = format!("{PRIVATE}nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
        for text in [
            &*typed,
            &published,
            "",
            "whsk_",
            "whsk_AAAA",
            "whpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "whsk_!",
        ] {
            assert!(SigningKeys::try_new(&ring([SecretString::from(text)])).is_err(), "{text}");
        }
    }
}

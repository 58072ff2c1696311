//! The secrets of service clients.
//!
//! A secret is 32 bytes from the generator, so nobody can try them through: a plain SHA-256 is as
//! hard to invert as the secret is to guess. A slow hash such as Argon2 protects what people
//! choose; here it would only cost 25 ms of a core per login and invite floods. The prefix lets
//! scanners of repositories and logs recognise a leaked secret.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secrets::random;

const PREFIX: &str = "vtm_";

/// A new secret on its way to its owner; it is printed once and never stored.
pub struct ClientSecret(SecretString);

impl ClientSecret {
    /// Draws one.
    pub fn generate() -> Self {
        let bytes = Zeroizing::new(random::bytes::<32>());
        Self(SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*bytes))))
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }

    /// The text, to be shown to its owner.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret([REDACTED])")
    }
}

/// SHA-256 of a secret's text.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Matches no secret: its preimage is not known to anybody. What an unknown client is compared with.
    pub const OF_NOBODY: Self = Self([0; 32]);

    /// The hash of a presented text, whatever it looks like.
    pub fn of(secret: &SecretString) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, secret.expose_secret().as_bytes()).as_ref());
        Self(hash)
    }

    /// From the stored bytes; `None` if they are not 32.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the hash of the presented secret, in a time that does not depend on either.
    pub fn matches(&self, presented: &SecretString) -> bool {
        Self::of(presented).0.ct_eq(&self.0).into()
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_its_own_hash_only() {
        let secret = ClientSecret::generate();
        let presented = SecretString::from(secret.reveal());
        assert!(secret.hash().matches(&presented));
        assert!(!ClientSecret::generate().hash().matches(&presented));
        assert!(!SecretHash::OF_NOBODY.matches(&presented));
        let stored = SecretHash::from_stored(secret.hash().as_bytes()).unwrap();
        assert!(stored.matches(&presented));
        assert!(!stored.matches(&SecretString::from(secret.reveal().trim_start_matches(PREFIX))));
    }

    #[test]
    fn a_secret_is_recognisable_and_as_long_as_256_bits_need() {
        let secret = ClientSecret::generate();
        assert!(secret.reveal().starts_with(PREFIX));
        assert_eq!(secret.reveal().len(), PREFIX.len() + 43);
        assert_eq!(format!("{secret:?}"), "ClientSecret([REDACTED])");
    }

    #[test]
    fn stored_bytes_of_another_length_are_not_a_hash() {
        assert!(SecretHash::from_stored(&[0; 31]).is_none());
    }
}

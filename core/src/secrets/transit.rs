//! Sealing and signing with keys that never leave Vault (the transit engine).
//!
//! The keys that seal are derived ones: the context belongs to the ciphertext, so a row's ciphertext that is copied into
//! another row does not open there. The keys that sign are Ed25519: their public halves are there for everybody, version
//! by version, and the newest version signs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vaultrs::api::transit::requests::{DecryptDataRequest, EncryptDataRequest};
use vaultrs::api::transit::responses::ReadKeyData;
use zeroize::Zeroizing;

use super::client::Vault;
use super::error::SecretsError;

const OPEN: &str = "transit/decrypt";
const SIGN: &str = "transit/sign";
const PUBLIC: &str = "transit/keys";

/// What a signing key of Vault said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which version of the key.
    pub version: u32,
    /// The Ed25519 signature.
    pub bytes: [u8; 64],
}

impl Vault {
    /// Seals bytes for a context. Repeating is safe: each time there is another ciphertext of the same.
    pub async fn seal(&self, key: &str, context: &[u8], plaintext: &[u8]) -> Result<String, SecretsError> {
        let mount = &self.mount("transit");
        let plaintext = &Zeroizing::new(STANDARD.encode(plaintext));
        let context = &STANDARD.encode(context);
        let sealed = self.call("transit/encrypt", |client| async move {
            let mut options = EncryptDataRequest::builder();
            options.context(context.as_str());
            vaultrs::transit::data::encrypt(&*client, mount, key, plaintext, Some(&mut options)).await
        });
        Ok(sealed.await?.ciphertext)
    }

    /// Opens what was sealed for the same context.
    pub async fn open(&self, key: &str, context: &[u8], sealed: &str) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        let mount = &self.mount("transit");
        let context = &STANDARD.encode(context);
        let opened = self.call(OPEN, |client| async move {
            let mut options = DecryptDataRequest::builder();
            options.context(context.as_str());
            vaultrs::transit::data::decrypt(&*client, mount, key, sealed, Some(&mut options)).await
        });
        let plaintext = Zeroizing::new(opened.await?.plaintext);
        let bytes = STANDARD.decode(plaintext.as_bytes()).map_err(|_| SecretsError::Malformed { call: OPEN })?;
        Ok(Zeroizing::new(bytes))
    }

    /// Signs a message with the newest version of an Ed25519 key. Repeating is safe: the signature is the same.
    pub async fn sign(&self, key: &str, message: &[u8]) -> Result<Signature, SecretsError> {
        let (mount, message) = (&self.mount("transit"), &STANDARD.encode(message));
        let signed =
            self.call(
                SIGN,
                |client| async move { vaultrs::transit::data::sign(&*client, mount, key, message, None).await },
            );
        parse_signature(&signed.await?.signature).ok_or(SecretsError::Malformed { call: SIGN })
    }

    /// The public halves of an Ed25519 key, by version.
    pub async fn public_keys(&self, key: &str) -> Result<BTreeMap<u32, [u8; 32]>, SecretsError> {
        let mount = &self.mount("transit");
        let read =
            self.call(PUBLIC, |client| async move { vaultrs::transit::key::read(&*client, mount, key).await }).await?;
        let malformed = SecretsError::Malformed { call: PUBLIC };
        let ReadKeyData::Asymmetric(versions) = read.keys else { return Err(malformed) };
        let parsed = versions.iter().map(|(version, entry)| {
            let bytes = STANDARD.decode(&entry.public_key).ok()?;
            Some((version.parse().ok()?, bytes.try_into().ok()?))
        });
        parsed.collect::<Option<_>>().ok_or(malformed)
    }

    /// Makes a new version of a key, which seals and signs from now on; the old ones still open and verify. Not repeated: a
    /// lost answer would make two.
    pub async fn rotate(&self, key: &str) -> Result<(), SecretsError> {
        let mount = &self.mount("transit");
        self.once(
            "transit/keys/rotate",
            |client| async move { vaultrs::transit::key::rotate(&*client, mount, key).await },
        )
        .await
    }
}

/// `vault:v3:<base64>`.
fn parse_signature(text: &str) -> Option<Signature> {
    let (version, bytes) = text.strip_prefix("vault:v")?.split_once(':')?;
    Some(Signature { version: version.parse().ok()?, bytes: STANDARD.decode(bytes).ok()?.try_into().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_names_its_version() {
        let text = format!("vault:v12:{}", STANDARD.encode([7; 64]));
        assert_eq!(parse_signature(&text), Some(Signature { version: 12, bytes: [7; 64] }));
        for nonsense in ["", "vault:v1:", "vault:1:AAAA", "vault:v1:AAAA", "v1:AAAA"] {
            assert_eq!(parse_signature(nonsense), None, "{nonsense}");
        }
    }
}

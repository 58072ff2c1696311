//! Secrets that Vault only keeps: signing keys and the like, from the KV engine (version 2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::client::Vault;
use super::error::SecretsError;

const CALL: &str = "kv read";

#[derive(Deserialize)]
struct Key {
    key: SecretString,
}

impl Vault {
    /// The newest version of a secret. `T` keeps what is secret in `SecretString` members.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, SecretsError> {
        let mount = &self.mount("kv");
        self.call(CALL, |client| async move { vaultrs::kv2::read(&*client, mount, path).await }).await
    }

    /// A secret of the form `{"key": <base64 of 32 bytes>}`, such as the one that signs cursors.
    pub async fn read_key(&self, path: &str) -> Result<Zeroizing<[u8; 32]>, SecretsError> {
        let secret: Key = self.read(path).await?;
        decode_key(&secret.key).ok_or(SecretsError::Malformed { call: CALL })
    }
}

pub(super) fn decode_key(text: &SecretString) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(STANDARD.decode(text.expose_secret()).ok()?);
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&bytes);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes() {
        let key = decode_key(&SecretString::from(STANDARD.encode([7; 32]))).unwrap();
        assert_eq!(*key, [7; 32]);
        assert!(decode_key(&SecretString::from(STANDARD.encode([7; 31]))).is_none());
        assert!(decode_key(&SecretString::from("not base64!")).is_none());
    }
}

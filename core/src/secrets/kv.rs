//! Secrets that Vault only keeps: signing keys and the like, from the KV engine (version 2).
//!
//! A secret is replaced by check-and-set: whoever has read an older version than the newest changes nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vaultrs::api::kv2::requests::{ReadSecretRequest, SetSecretRequestOptions};
use vaultrs::api::kv2::responses::ReadSecretResponse;
use vaultrs::error::ClientError;
use zeroize::Zeroizing;

use super::client::Vault;
use super::error::SecretsError;
use super::ring::KeyRing;
use super::weak::is_weak;

const CALL: &str = "kv read";
const WRITE: &str = "kv write";

/// A key alone, or in a ring.
#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Ring(KeyRing),
    Alone { key: SecretString },
}

impl Key {
    fn current(&self) -> Option<&SecretString> {
        match self {
            Self::Ring(ring) => ring.keys.iter().find(|key| key.kid == ring.current).map(|key| &key.key),
            Self::Alone { key } => Some(key),
        }
    }
}

impl Vault {
    /// The newest version of a secret. `T` keeps what is secret in `SecretString` members.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, SecretsError> {
        self.read_version(path).await.map(|(secret, _)| secret)
    }

    /// The same, and which version it is.
    pub async fn read_version<T: DeserializeOwned>(&self, path: &str) -> Result<(T, u64), SecretsError> {
        let read = self.newest(path).await?;
        // Its words are withheld, as they may be those of the secret.
        let secret = serde_json::from_value(read.data).map_err(|_| SecretsError::Malformed { call: CALL })?;
        Ok((secret, read.metadata.version))
    }

    /// When the newest version of a secret was written.
    pub async fn written_at(&self, path: &str) -> Result<DateTime<Utc>, SecretsError> {
        let written = self.newest(path).await?.metadata.created_time;
        written.parse().map_err(|_| SecretsError::Malformed { call: CALL })
    }

    async fn newest(&self, path: &str) -> Result<ReadSecretResponse, SecretsError> {
        let mount = &self.mount("kv");
        let read = self.call(CALL, |client| async move {
            let request = ReadSecretRequest { mount: mount.clone(), path: path.to_owned(), version: None };
            vaultrs::api::exec_with_result(&*client, request).await
        });
        read.await
    }

    /// A secret of 32 bytes in base64, alone as `{"key": …}` or the current one of a ring.
    pub async fn read_key(&self, path: &str) -> Result<Zeroizing<[u8; 32]>, SecretsError> {
        let secret: Key = self.read(path).await?;
        secret.current().and_then(decode_key).ok_or_else(|| SecretsError::BadKey { path: path.to_owned() })
    }

    /// Replaces a version of a secret; `false` says that it is no longer the newest, perhaps because an earlier try of this
    /// call has done it and its answer was lost.
    pub async fn replace(&self, path: &str, secret: &Value, version: u64) -> Result<bool, SecretsError> {
        let cas = u32::try_from(version).map_err(|_| SecretsError::Malformed { call: WRITE })?;
        match self.write(path, secret, Some(cas)).await {
            Ok(()) => Ok(true),
            Err(SecretsError::Status { status: 400, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a secret that follows from others, whatever was there.
    pub async fn put(&self, path: &str, secret: &Value) -> Result<(), SecretsError> {
        self.write(path, secret, None).await
    }

    async fn write(&self, path: &str, secret: &Value, cas: Option<u32>) -> Result<(), SecretsError> {
        let mount = &self.mount("kv");
        let written = self.call(WRITE, |client| async move {
            match cas {
                Some(cas) => {
                    let options = SetSecretRequestOptions { cas };
                    vaultrs::kv2::set_with_options(&*client, mount, path, secret, options).await?
                }
                None => vaultrs::kv2::set(&*client, mount, path, secret).await?,
            };
            Ok::<_, ClientError>(())
        });
        written.await
    }
}

/// The 32 bytes of a key; none where it has another form or is one that others know.
pub fn decode_key(text: &SecretString) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(STANDARD.decode(text.expose_secret()).ok()?);
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&bytes);
    (!is_weak(&key)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::super::random;
    use super::*;

    #[test]
    fn a_key_is_32_bytes() {
        let drawn = random::bytes::<32>();
        let key = decode_key(&SecretString::from(STANDARD.encode(drawn))).unwrap();
        assert_eq!(*key, drawn);
        assert!(decode_key(&SecretString::from(STANDARD.encode([7; 32]))).is_none(), "a weak one");
        assert!(decode_key(&SecretString::from(STANDARD.encode(&drawn[1..]))).is_none());
        assert!(decode_key(&SecretString::from("not base64!")).is_none());
    }
}

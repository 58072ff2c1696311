//! The signature: by a key inside Vault, whose public halves everybody may have.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::error::ReceiptError;
use super::receipt::Claims;
use crate::secrets::{FOLLOW_EVERY, Followed, SecretsError, Vault};

/// The key in Vault's transit engine.
const KEY: &str = "receipt";
/// A text of this type is no access token, whoever signed it (RFC 8725 §3.11).
const TYPE: &str = "vintem-receipt+jwt";

/// The public halves of every version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKeys(BTreeMap<u32, [u8; 32]>);

impl PublicKeys {
    /// As keys of a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> Vec<Value> {
        let key = |(version, key): (&u32, &[u8; 32])| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": name(*version), "x": URL_SAFE_NO_PAD.encode(key),
            })
        };
        self.0.iter().map(key).collect()
    }
}

/// Signs, and knows the keys.
#[derive(Debug, Clone)]
pub struct Signer {
    vault: Vault,
    keys: Followed<PublicKeys>,
}

impl Signer {
    /// Reads the public halves, and goes on looking for newer ones.
    pub async fn follow(vault: &Vault) -> Result<Self, SecretsError> {
        let keys = Followed::fixed(PublicKeys(vault.public_keys(KEY).await?));
        let own = Self { vault: vault.clone(), keys };
        let follower = own.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(FOLLOW_EVERY).await;
                if let Err(error) = follower.look().await {
                    tracing::warn!(%error, "the keys of receipts cannot be read again; those in memory stay");
                }
            }
        });
        Ok(own)
    }

    async fn look(&self) -> Result<(), SecretsError> {
        let keys = self.vault.public_keys(KEY).await?;
        self.keys.swap(PublicKeys(keys));
        Ok(())
    }

    /// The keys as of the last look.
    pub fn keys(&self) -> Followed<PublicKeys> {
        self.keys.clone()
    }

    /// The claims as a compact JWS. Its header names the key, so a version that is newer than the last look signs again.
    pub async fn sign(&self, claims: &Claims) -> Result<String, ReceiptError> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).map_err(|_| ReceiptError::Unreadable)?);
        let mut version =
            self.keys.load().0.last_key_value().map(|(version, _)| *version).ok_or(ReceiptError::NoKey)?;
        loop {
            let header = json!({ "alg": "EdDSA", "kid": name(version), "typ": TYPE }).to_string();
            let text = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
            let signature = self.vault.sign(KEY, text.as_bytes()).await?;
            if signature.version == version {
                return Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.bytes)));
            }
            // Published before anybody can hold what it signed.
            self.look().await?;
            version = signature.version;
        }
    }
}

/// As headers and the key set name a version.
fn name(version: u32) -> String {
    format!("receipt-{version}")
}

//! Vault's part: making, unwrapping and rewrapping keys, many in one call where there are many.
//!
//! The key that wraps them is called `people` and is a derived one. `vaultrs` knows no batches, and its answers print
//! what is in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustify::Endpoint;
use rustify_derive::Endpoint;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vaultrs::api::EndpointResult;
use vaultrs::client::{Client as _, VaultClient};
use vaultrs::error::ClientError;
use zeroize::Zeroizing;

use super::super::client::Vault;
use super::super::error::SecretsError;
use super::super::kv::decode_key;
use super::envelope::DataKey;

const MAKE: &str = "transit/datakey";
const UNWRAP: &str = "transit/decrypt";
const REWRAP: &str = "transit/rewrap";

/// A person of a tenant: whom a wrapped key is for.
pub(super) type Person = (Uuid, Uuid);

/// A key as it is kept, and the version of the key that wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) version: i32,
    pub(super) text: String,
}

/// `POST transit/datakey/plaintext/people`: a new key, in clear and wrapped.
#[derive(Endpoint)]
#[endpoint(path = "{self.mount}/datakey/plaintext/people", method = "POST", response = "Made")]
struct Make {
    #[endpoint(skip)]
    mount: String,
    context: String,
}

#[derive(Deserialize)]
struct Made {
    plaintext: SecretString,
    ciphertext: String,
}

/// `POST transit/{decrypt,rewrap}/people`, for many at once.
#[derive(Endpoint)]
#[endpoint(path = "{self.mount}/{self.action}/people", method = "POST", response = "Batch")]
struct Many {
    #[endpoint(skip)]
    mount: String,
    #[endpoint(skip)]
    action: &'static str,
    batch_input: Vec<Input>,
}

#[derive(Clone, Serialize)]
struct Input {
    ciphertext: String,
    context: String,
}

#[derive(Deserialize)]
struct Batch {
    batch_results: Vec<Output>,
}

/// One answer: `plaintext` of what was unwrapped, `ciphertext` of what was rewrapped, neither of what failed.
#[derive(Deserialize)]
struct Output {
    plaintext: Option<SecretString>,
    ciphertext: Option<String>,
}

/// `GET transit/keys/people`.
#[derive(Endpoint)]
#[endpoint(path = "{self.mount}/keys/people", method = "GET", response = "Versions")]
struct ReadVersions {
    #[endpoint(skip)]
    mount: String,
}

#[derive(Deserialize)]
struct Versions {
    latest_version: i32,
}

impl Wrapped {
    /// `vault:v<version>:<base64>`
    fn parse(text: String, call: &'static str) -> Result<Self, SecretsError> {
        let version = text.strip_prefix("vault:v").and_then(|rest| rest.split(':').next()?.parse().ok());
        Ok(Self { version: version.ok_or(SecretsError::Malformed { call })?, text })
    }
}

impl Vault {
    /// A key for a person. Repeating is safe: a key that nobody kept is nobody's.
    pub(super) async fn make_key(&self, person: Person) -> Result<(DataKey, Wrapped), SecretsError> {
        let mount = &self.mount("transit");
        let wanted = || Make { mount: mount.clone(), context: context(person) };
        let Made { plaintext, ciphertext } = self.call(MAKE, |client| execute(client, wanted())).await?;
        Ok((to_key(&plaintext, MAKE)?, Wrapped::parse(ciphertext, MAKE)?))
    }

    /// Unwraps keys, in their order. One that does not open fails them all: it is not what we have kept.
    pub(super) async fn unwrap_keys(&self, wrapped: &[(Person, &str)]) -> Result<Vec<DataKey>, SecretsError> {
        let results = self.many("decrypt", UNWRAP, wrapped).await?;
        let key = |result: Output| to_key(&result.plaintext.ok_or(SecretsError::Malformed { call: UNWRAP })?, UNWRAP);
        results.into_iter().map(key).collect()
    }

    /// Wraps keys with the newest version, in their order. They do not leave Vault for that.
    pub(super) async fn rewrap_keys(&self, wrapped: &[(Person, &str)]) -> Result<Vec<Wrapped>, SecretsError> {
        let results = self.many("rewrap", REWRAP, wrapped).await?;
        let kept =
            |result: Output| Wrapped::parse(result.ciphertext.ok_or(SecretsError::Malformed { call: REWRAP })?, REWRAP);
        results.into_iter().map(kept).collect()
    }

    /// The version that wraps new keys.
    pub(super) async fn newest_version(&self) -> Result<i32, SecretsError> {
        let mount = &self.mount("transit");
        let read = || ReadVersions { mount: mount.clone() };
        Ok(self.call("transit/keys", |client| execute(client, read())).await?.latest_version)
    }

    async fn many(
        &self,
        action: &'static str,
        call: &'static str,
        wrapped: &[(Person, &str)],
    ) -> Result<Vec<Output>, SecretsError> {
        let mount = &self.mount("transit");
        let input =
            |(person, text): &(Person, &str)| Input { ciphertext: (*text).to_owned(), context: context(*person) };
        let inputs: &Vec<Input> = &wrapped.iter().map(input).collect();
        let many = || Many { mount: mount.clone(), action, batch_input: inputs.clone() };
        let results = self.call(call, |client| execute(client, many())).await?.batch_results;
        if results.len() == wrapped.len() { Ok(results) } else { Err(SecretsError::Malformed { call }) }
    }
}

/// The context of a derived key: a wrapped key that is copied into another person's row does not open there.
fn context((tenant, person): Person) -> String {
    STANDARD.encode([&b"vintem:person:"[..], tenant.as_bytes(), person.as_bytes()].concat())
}

fn to_key(text: &SecretString, call: &'static str) -> Result<DataKey, SecretsError> {
    let bytes: Zeroizing<[u8; 32]> = decode_key(text).ok_or(SecretsError::Malformed { call })?;
    Ok(DataKey::new(bytes))
}

async fn execute<E: Endpoint>(client: std::sync::Arc<VaultClient>, endpoint: E) -> Result<E::Response, ClientError> {
    let answer = endpoint.with_middleware(client.middle()).exec(client.http()).await?;
    answer.wrap::<EndpointResult<_>>()?.data.ok_or(ClientError::ResponseDataEmptyError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_says_which_version_wrapped_it() {
        let version = |text: &str| Wrapped::parse(text.to_owned(), "x").map(|wrapped| wrapped.version).ok();
        assert_eq!(version("vault:v12:abc"), Some(12));
        assert_eq!([version("vault:abc"), version("abc"), version("vault:v:abc")], [None; 3]);
    }

    #[test]
    fn no_two_people_share_a_context() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_ne!(context((a, b)), context((b, a)));
        assert_ne!(context((a, a)), context((a, b)));
    }
}

//! The one door to Vault's HTTP API.
//!
//! Only what the stack needs: calls with JSON bodies over TLS that trusts the stack's own authority and nothing
//! else. Works alike with OpenBao. The connection pool is empty on purpose: a client may outlive the runtime
//! that opened a connection (each test has its own), and a new connection on one machine costs a millisecond.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reqwest::{Certificate, Client, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// Why Vault did not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No answer.
    #[error("Vault at {address} does not answer")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// The client's reason.
        source: reqwest::Error,
    },
    /// An answer that says no.
    #[error("Vault answers {status} to {method} {path}: {errors}")]
    Refused {
        /// The method.
        method: Method,
        /// The path below `/v1/`.
        path: String,
        /// The status.
        status: StatusCode,
        /// Vault's own words.
        errors: String,
    },
    /// An answer without the member that was asked for.
    #[error("Vault's answer to {path} lacks {member}")]
    Shape {
        /// The path below `/v1/`.
        path: String,
        /// A JSON pointer.
        member: &'static str,
    },
    /// The authority's certificate file is unusable.
    #[error("{file} holds no certificate")]
    Authority {
        /// The file.
        file: String,
    },
}

impl VaultError {
    /// The status of a refusal.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A client of one Vault, with or without a token.
#[derive(Debug, Clone)]
pub struct Vault {
    http: Client,
    address: String,
    token: Option<SecretString>,
}

impl Vault {
    /// A client without a token that trusts the certificates in `authorities` (files that do not exist are skipped).
    pub fn new(address: &str, authorities: &[&Path]) -> Result<Self, VaultError> {
        let mut trusted = Vec::new();
        for file in authorities.iter().filter(|file| file.exists()) {
            let unusable = || VaultError::Authority { file: file.display().to_string() };
            let text = std::fs::read(file).map_err(|_| unusable())?;
            trusted.extend(Certificate::from_pem_bundle(&text).map_err(|_| unusable())?);
        }
        let builder = Client::builder()
            .tls_certs_only(trusted)
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(30));
        let http = builder.build().map_err(|source| VaultError::Unreachable { address: address.into(), source })?;
        Ok(Self { http, address: address.into(), token: None })
    }

    /// The same client with a token.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The token, to hand it to a process over a pipe.
    pub fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// The state by status code alone (OpenBao's and Vault's bodies differ).
    pub async fn health(&self) -> Result<Health, VaultError> {
        let request = self.http.get(format!("{}/v1/sys/health", self.address));
        let answer = request.send().await.map_err(|source| self.unreachable(source))?;
        Ok(match answer.status().as_u16() {
            200 => Health::Active,
            501 => Health::Uninitialised,
            503 => Health::Sealed,
            _ => Health::Starting,
        })
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Result<Value, VaultError> {
        self.call(Method::GET, path, None, None).await
    }

    /// Reads a path that may not exist.
    pub async fn find(&self, path: &str) -> Result<Option<Value>, VaultError> {
        match self.get(path).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a path.
    pub async fn write(&self, path: &str, body: Value) -> Result<Value, VaultError> {
        self.call(Method::POST, path, Some(body), None).await
    }

    /// Deletes a path.
    pub async fn delete(&self, path: &str) -> Result<(), VaultError> {
        self.call(Method::DELETE, path, None, None).await.map(drop)
    }

    /// A `secret_id` of an AppRole, wrapped: whoever unwraps it first is the only one who has it.
    pub async fn wrapped_secret_id(&self, role: &str) -> Result<SecretString, VaultError> {
        let path = format!("auth/approle/role/{role}/secret-id");
        let answer = self.call(Method::POST, &path, Some(json!({})), Some("120s")).await?;
        secret(&answer, &path, "/wrap_info/token")
    }

    /// Makes a root token out of the unseal key, and from it one that ends by itself.
    ///
    /// No token is kept on disk, so every command that administers Vault begins here. Vault allows one such
    /// generation at a time: the caller holds a lock, and what an interrupted one left is cancelled.
    pub async fn operator(&self, unseal_key: &SecretString, ttl: &str) -> Result<Self, VaultError> {
        self.delete("sys/generate-root/attempt").await?;
        let attempt = self.write("sys/generate-root/attempt", json!({})).await?;
        let nonce = text(&attempt, "sys/generate-root/attempt", "/nonce")?;
        let pad = text(&attempt, "sys/generate-root/attempt", "/otp")?;
        let path = "sys/generate-root/update";
        let update = self.write(path, json!({ "key": unseal_key.expose_secret(), "nonce": nonce })).await?;
        let encoded = text(&update, path, "/encoded_token").or_else(|_| text(&update, path, "/encoded_root_token"))?;
        let shape = || VaultError::Shape { path: path.into(), member: "/encoded_token" };
        let sealed = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).map_err(|_| shape())?;
        let clear = sealed.iter().zip(pad.bytes()).map(|(byte, pad)| byte ^ pad).collect();
        let root = self.with_token(String::from_utf8(clear).map_err(|_| shape())?.into());
        let path = "auth/token/create-orphan";
        let child = root.write(path, json!({ "policies": ["root"], "ttl": ttl, "display_name": "stack" })).await;
        root.write("auth/token/revoke-self", json!({})).await?;
        Ok(self.with_token(secret(&child?, path, "/auth/client_token")?))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        wrap: Option<&str>,
    ) -> Result<Value, VaultError> {
        let mut request = self.http.request(method.clone(), format!("{}/v1/{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header("X-Vault-Token", token.expose_secret());
        }
        if let Some(wrap) = wrap {
            request = request.header("X-Vault-Wrap-TTL", wrap);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|source| self.unreachable(source))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|source| self.unreachable(source))?;
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let errors = value.pointer("/errors").and_then(Value::as_array).map(|errors| {
            let lines = errors
                .iter()
                .filter_map(Value::as_str)
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            lines.collect::<Vec<_>>().join("; ")
        });
        Err(VaultError::Refused { method, path: path.into(), status, errors: errors.unwrap_or_default() })
    }

    fn unreachable(&self, source: reqwest::Error) -> VaultError {
        VaultError::Unreachable { address: self.address.clone(), source }
    }
}

/// What `/sys/health` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Never initialised.
    Uninitialised,
    /// Initialised and sealed.
    Sealed,
    /// Unsealed, but not yet the leader of its one-node cluster.
    Starting,
    /// Ready.
    Active,
}

/// A string member of an answer.
pub fn text<'a>(value: &'a Value, path: &str, member: &'static str) -> Result<&'a str, VaultError> {
    value.pointer(member).and_then(Value::as_str).ok_or_else(|| VaultError::Shape { path: path.into(), member })
}

/// A secret string member of an answer.
pub fn secret(value: &Value, path: &str, member: &'static str) -> Result<SecretString, VaultError> {
    text(value, path, member).map(|found| SecretString::from(found.to_owned()))
}

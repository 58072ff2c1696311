//! Leases of users of Postgres and of RabbitMQ.
//!
//! `vaultrs` reads the user and drops the lease; these calls keep it, renew it and give it back.

use std::time::Duration;

use rustify::Endpoint;
use rustify_derive::Endpoint;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::Instant;
use vaultrs::api::EndpointResult;
use vaultrs::client::{Client as _, VaultClient};
use vaultrs::error::ClientError;

use super::client::Vault;
use super::error::SecretsError;

/// The engines that make users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// Of Postgres.
    Database,
    /// Of RabbitMQ.
    Broker,
}

impl Engine {
    fn mount(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Broker => "rabbitmq",
        }
    }

    /// The call's name in errors.
    fn call(self) -> &'static str {
        match self {
            Self::Database => "database/creds",
            Self::Broker => "rabbitmq/creds",
        }
    }
}

/// `GET <mount>/creds/<role>`: Vault creates a user for us.
#[derive(Endpoint)]
#[endpoint(path = "{self.mount}/creds/{self.role}", method = "GET", response = "Credentials")]
struct ReadCredentials {
    #[endpoint(skip)]
    mount: String,
    #[endpoint(skip)]
    role: String,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: SecretString,
}

/// `POST sys/leases/renew`.
#[derive(Endpoint)]
#[endpoint(path = "sys/leases/renew", method = "POST", response = "serde_json::Value")]
struct RenewLease {
    lease_id: String,
}

/// `POST sys/leases/revoke`.
#[derive(Endpoint)]
#[endpoint(path = "sys/leases/revoke", method = "POST")]
struct RevokeLease {
    lease_id: String,
}

/// The right to a user, for a time.
pub(super) struct Lease {
    id: String,
    /// What Vault grants a new lease of the role.
    full: Duration,
    /// When the user ends unless renewed.
    pub(super) expires_at: Instant,
    pub(super) renewable: bool,
}

impl Lease {
    /// Of nobody: there is a successor to lease, now.
    pub(super) fn ended() -> Self {
        Self { id: String::new(), full: Duration::ZERO, expires_at: Instant::now(), renewable: false }
    }

    /// What a new lease of this role grants.
    pub(super) fn full(&self) -> Duration {
        self.full
    }
}

impl Vault {
    /// Leases a user of the role. Repeating is safe: a user nobody got to know ends with its TTL.
    pub(super) async fn lease_user(&self, engine: Engine, role: &str) -> Result<(Credentials, Lease), SecretsError> {
        let mount = &self.mount(engine.mount());
        let asked_at = Instant::now();
        let answer = self
            .call(engine.call(), |client| async move {
                execute(&client, ReadCredentials { mount: mount.clone(), role: role.to_owned() }).await
            })
            .await?;
        let full = Duration::from_secs(u64::from(answer.lease_duration));
        let credentials = answer.data.ok_or(SecretsError::Malformed { call: engine.call() })?;
        let lease = Lease { id: answer.lease_id, full, expires_at: asked_at + full, renewable: answer.renewable };
        Ok((credentials, lease))
    }

    /// Renews a lease and tells for how long.
    pub(super) async fn renew_lease(&self, lease: &mut Lease) -> Result<Duration, SecretsError> {
        let asked_at = Instant::now();
        let id = &lease.id;
        let answer =
            self.call("sys/leases/renew", |client| async move {
                execute(&client, RenewLease { lease_id: id.clone() }).await
            })
            .await?;
        let granted = Duration::from_secs(u64::from(answer.lease_duration));
        lease.expires_at = asked_at + granted;
        lease.renewable = answer.renewable;
        Ok(granted)
    }

    /// Ends a lease before its time; Vault drops the user.
    pub(super) async fn revoke_lease(&self, lease: Lease) -> Result<(), SecretsError> {
        let id = &lease.id;
        self.call("sys/leases/revoke", |client| async move {
            let endpoint = RevokeLease { lease_id: id.clone() };
            endpoint.with_middleware(client.middle()).exec(client.http()).await?;
            Ok(())
        })
        .await
    }
}

async fn execute<E: Endpoint>(client: &VaultClient, endpoint: E) -> Result<EndpointResult<E::Response>, ClientError> {
    Ok(endpoint.with_middleware(client.middle()).exec(client.http()).await?.wrap::<EndpointResult<_>>()?)
}

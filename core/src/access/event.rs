//! The facts of this context as they stand in payloads.
//!
//! Members may be added, never renamed or removed: old history stays readable. A secret's digest is
//! not among them, because what is in the log can never be taken out again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::client::Client;
use super::error::AccessError;
use super::settings::Settings;
use super::tenant::Tenant;
use crate::event_store::fact::{self, Fact};
use crate::event_store::overlay::Origin;
use crate::event_store::{Shard, WriteError};

/// A tenant exists; its stream is its id.
pub const TENANT_CREATED: &str = "tenant.created";
/// A tenant may not write any more.
pub const TENANT_SUSPENDED: &str = "tenant.suspended";
/// A tenant may write again.
pub const TENANT_RESUMED: &str = "tenant.resumed";
/// Something else was decided about a tenant.
pub const TENANT_CHANGED: &str = "tenant.changed";
/// A service client exists; its stream is its id.
pub const CLIENT_CREATED: &str = "client.created";

/// A client has a new secret.
pub const CLIENT_ROTATED: &str = "client.rotated";
/// All tokens of a tenant are refused; its stream is the tenant's.
pub const TOKENS_REVOKED: &str = "tokens.revoked";
/// A client is out.
pub const CLIENT_REVOKED: &str = "client.revoked";

/// `tenant.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantCreated {
    /// Unique in the whole system.
    pub name: String,
    /// Where its days begin.
    pub time_zone: String,
}

/// `tenant.suspended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantSuspended {
    /// Why, in the operator's words.
    pub reason: String,
}

/// `tenant.resumed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantResumed {}

/// `tenant.changed`: what is decided from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantChanged {
    /// `authorised`, `limited-purpose` or `sandbox`; absent while nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_mode: Option<String>,
    /// The assets that it may register; absent is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assets: Option<Vec<String>>,
    /// The asset of its citizens' accounts; absent: it has no citizens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub citizen_asset: Option<String>,
    /// The names that it is called by.
    pub hostnames: Vec<String>,
}

/// `client.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientCreated {
    /// Unique in the tenant.
    pub name: String,
    /// What its tokens may be good for.
    pub scopes: Vec<String>,
    /// From then on it may not call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The networks that it may call from; none is from anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The SHA-256 of the key that its tokens are bound to (RFC 7638).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_key: Option<String>,
}

/// `client.rotated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientRotated {
    /// How long the secret before is good.
    pub previous_until: DateTime<Utc>,
}

/// `client.revoked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientRevoked {}

/// `tokens.revoked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokensRevoked {
    /// Tokens that were issued until then are refused.
    pub until: DateTime<Utc>,
}

/// Appends `tenant.created`.
pub(super) async fn record_tenant(shard: &Shard, tenant: &Tenant) -> Result<(), AccessError> {
    let fact = TenantCreated { name: tenant.name.as_str().to_owned(), time_zone: tenant.time_zone.name().to_owned() };
    record(shard, tenant.tenant, (tenant.tenant, 0), TENANT_CREATED, &fact).await
}

/// Appends `tenant.suspended` to a stream of so many events.
pub(super) async fn record_suspension(
    shard: &Shard,
    tenant: Uuid,
    version: i32,
    reason: &str,
) -> Result<(), AccessError> {
    let fact = TenantSuspended { reason: reason.to_owned() };
    record(shard, tenant, (tenant, version), TENANT_SUSPENDED, &fact).await
}

/// Appends `tenant.resumed` to a stream of so many events.
pub(super) async fn record_resumption(shard: &Shard, tenant: Uuid, version: i32) -> Result<(), AccessError> {
    record(shard, tenant, (tenant, version), TENANT_RESUMED, &TenantResumed {}).await
}

/// Appends `tenant.changed` to a stream of so many events.
pub(super) async fn record_settings(
    shard: &Shard,
    tenant: Uuid,
    version: i32,
    settings: &Settings,
) -> Result<(), AccessError> {
    let fact = TenantChanged {
        legal_mode: settings.legal_mode.map(|mode| mode.as_str().to_owned()),
        assets: settings.assets.as_ref().map(|assets| assets.iter().cloned().collect()),
        citizen_asset: settings.citizen_asset.clone(),
        hostnames: settings.hostnames.iter().map(ToString::to_string).collect(),
    };
    record(shard, tenant, (tenant, version), TENANT_CHANGED, &fact).await
}

/// Appends `client.created`.
pub(super) async fn record_client(shard: &Shard, client: &Client) -> Result<(), AccessError> {
    let scopes = client.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let networks = client.terms.networks.iter().map(ToString::to_string).collect();
    let fact = ClientCreated {
        name: client.name.as_str().to_owned(),
        scopes,
        expires_at: client.terms.expires_at,
        networks,
        dpop_key: client.terms.key.map(|key| key.to_string()),
    };
    record(shard, client.tenant, (client.client, 0), CLIENT_CREATED, &fact).await
}

/// Appends `client.rotated` to a stream of so many events.
pub(super) async fn record_rotation(
    shard: &Shard,
    client: &Client,
    version: i32,
    previous_until: DateTime<Utc>,
) -> Result<(), AccessError> {
    record(shard, client.tenant, (client.client, version), CLIENT_ROTATED, &ClientRotated { previous_until }).await
}

/// Appends `client.revoked` to a stream of so many events.
pub(super) async fn record_revocation(shard: &Shard, client: &Client, version: i32) -> Result<(), AccessError> {
    record(shard, client.tenant, (client.client, version), CLIENT_REVOKED, &ClientRevoked {}).await
}

/// Appends `tokens.revoked` to a tenant's stream of so many events.
pub(super) async fn record_tokens(
    shard: &Shard,
    tenant: Uuid,
    version: i32,
    until: DateTime<Utc>,
) -> Result<(), AccessError> {
    record(shard, tenant, (tenant, version), TOKENS_REVOKED, &TokensRevoked { until }).await
}

async fn record(
    shard: &Shard,
    tenant: Uuid,
    (stream, expected): (Uuid, i32),
    kind: &'static str,
    says: &(impl Serialize + Sync),
) -> Result<(), AccessError> {
    let fact = Fact { origin: Origin::command(tenant, "operator"), stream, expected, fresh: expected == 0, kind, says };
    // A stream of a fresh id has nobody to lose against, and another's row is locked.
    if fact::record(shard, fact).await? { Ok(()) } else { Err(AccessError::Write(WriteError::Defect)) }
}

//! The SQL of tenants and clients.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use super::caller::Scopes;
use super::client::Client;
use super::client_secret::SecretHash;
use super::error::AccessError;
use super::tenant::{Tenant, parse_time_zone};

/// What a login needs to know of a client.
pub(super) struct LoginRow {
    pub(super) tenant: Uuid,
    pub(super) secret_hash: SecretHash,
    pub(super) scopes: Scopes,
    pub(super) revoked: bool,
}

/// The client of this id, in whichever tenant. Role: reader.
pub(super) async fn client_for_login(pool: &PgPool, client: Uuid) -> Result<Option<LoginRow>, AccessError> {
    let row = sqlx::query!(
        r#"SELECT tenant AS "tenant!", secret_hash AS "secret_hash!", scopes AS "scopes!", revoked AS "revoked!"
           FROM client_for_login($1)"#,
        client
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let inconsistent = |what| AccessError::Inconsistent { what };
    let secret_hash = SecretHash::from_stored(&row.secret_hash).ok_or_else(|| inconsistent("secret hash"))?;
    let scopes = Scopes::parse(&row.scopes.join(" ")).map_err(|_| inconsistent("scope"))?;
    Ok(Some(LoginRow { tenant: row.tenant, secret_hash, scopes, revoked: row.revoked }))
}

/// A tenant by id. Under the reader's policy only the one that the transaction is set to.
pub(super) async fn tenant_by_id(connection: &mut PgConnection, tenant: Uuid) -> Result<Option<Tenant>, AccessError> {
    let row = sqlx::query_as!(TenantRow, "SELECT tenant, name, shard, time_zone FROM tenant WHERE tenant = $1", tenant)
        .fetch_optional(connection)
        .await?;
    row.map(Tenant::try_from).transpose()
}

/// A tenant by name. Role: operator.
pub(super) async fn tenant_by_name(connection: &mut PgConnection, name: &str) -> Result<Option<Tenant>, AccessError> {
    let row = sqlx::query_as!(TenantRow, "SELECT tenant, name, shard, time_zone FROM tenant WHERE name = $1", name)
        .fetch_optional(connection)
        .await?;
    row.map(Tenant::try_from).transpose()
}

/// Adds a tenant. Role: operator.
pub(super) async fn insert_tenant(
    connection: &mut PgConnection,
    tenant: &Tenant,
    created_at: DateTime<Utc>,
) -> Result<(), AccessError> {
    let inserted = sqlx::query!(
        "INSERT INTO tenant (tenant, name, shard, time_zone, created_at)
         SELECT $1, $2, shard, $4, $5 FROM shard WHERE shard = $3",
        tenant.tenant,
        tenant.name.as_str(),
        tenant.shard,
        tenant.time_zone.name(),
        created_at
    )
    .execute(connection)
    .await
    .map_err(explain)?;
    if inserted.rows_affected() == 1 { Ok(()) } else { Err(AccessError::UnknownShard) }
}

/// Adds a client of a tenant. Role: operator.
pub(super) async fn insert_client(
    connection: &mut PgConnection,
    client: &Client,
    secret_hash: &SecretHash,
    created_at: DateTime<Utc>,
) -> Result<(), AccessError> {
    let scopes: Vec<String> = client.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO client (tenant, client, name, secret_hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        client.tenant,
        client.client,
        client.name.as_str(),
        secret_hash.as_bytes(),
        &scopes,
        created_at
    )
    .execute(connection)
    .await
    .map_err(explain)?;
    Ok(())
}

/// Where the days of tenants begin. Role: whoever may read the tenants of others.
pub async fn time_zones(connection: &mut PgConnection, tenants: &[Uuid]) -> Result<HashMap<Uuid, Tz>, sqlx::Error> {
    let rows = sqlx::query!("SELECT tenant, time_zone FROM tenant WHERE tenant = ANY ($1)", tenants)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.tenant, parse_time_zone(&row.time_zone).ok()?))).collect())
}

struct TenantRow {
    tenant: Uuid,
    name: String,
    shard: i16,
    time_zone: String,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = AccessError;

    fn try_from(row: TenantRow) -> Result<Self, AccessError> {
        let inconsistent = |what| AccessError::Inconsistent { what };
        Ok(Self {
            tenant: row.tenant,
            name: row.name.parse().map_err(|_| inconsistent("tenant name"))?,
            shard: row.shard,
            time_zone: parse_time_zone(&row.time_zone).map_err(|_| inconsistent("time zone"))?,
        })
    }
}

/// A broken constraint is a refusal with a name.
fn explain(error: sqlx::Error) -> AccessError {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("tenant_name_key" | "client_tenant_name_key") => AccessError::NameTaken,
        Some("client_tenant_fkey") => AccessError::UnknownTenant,
        _ => AccessError::Database(error),
    }
}

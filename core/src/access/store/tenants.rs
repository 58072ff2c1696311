//! The SQL of tenants' lives. Role: operator, where nothing else is said.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use super::TenantRow;
use crate::access::admission::Known;
use crate::access::error::AccessError;
use crate::access::settings::{Hostname, LegalMode, Settings};
use crate::access::tenant::{Of, Tenant};

/// A tenant and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The tenant.
    pub tenant: Tenant,
    /// The decisions.
    pub settings: Settings,
    /// When its provisioning began.
    pub created_at: DateTime<Utc>,
}

/// Who may not write, and whose names are whose. Role: reader.
pub(in crate::access) async fn admission(pool: &PgPool) -> Result<Known, sqlx::Error> {
    let suspended = sqlx::query_scalar!(r#"SELECT tenants_suspended() AS "tenant!""#).fetch_all(pool).await?;
    let names = sqlx::query!(r#"SELECT hostname AS "hostname!", tenant AS "tenant!" FROM tenant_hostnames()"#)
        .fetch_all(pool)
        .await?;
    let hostnames = names.into_iter().map(|row| (row.hostname, row.tenant)).collect();
    Ok(Known { suspended: suspended.into_iter().collect(), hostnames })
}

/// The tenant of a name. It is asked for by whoever knocks, before anybody is known. Role: editor.
pub async fn at_the_door(pool: &PgPool, name: &str) -> Result<Option<Of>, sqlx::Error> {
    let row = sqlx::query!(r#"SELECT tenant AS "tenant!", shard AS "shard!" FROM tenant_at_sign_in($1)"#, name);
    Ok(row.fetch_optional(pool).await?.map(|row| Of { shard: row.shard, tenant: row.tenant }))
}

/// The shard with the shortest log; among equals, the one with the fewest tenants.
pub(in crate::access) async fn emptiest_shard(connection: &mut PgConnection) -> Result<Option<i16>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT s.shard FROM shard s
         LEFT JOIN LATERAL (SELECT last_position FROM batch b WHERE b.shard = s.shard ORDER BY seq DESC LIMIT 1) newest ON true
         ORDER BY coalesce(newest.last_position, 0), (SELECT count(*) FROM tenant t WHERE t.shard = s.shard), s.shard LIMIT 1"
    )
    .fetch_optional(connection)
    .await
}

/// Begins a tenant, unless there is one of this name; `false` when there is, or no such shard.
pub(in crate::access) async fn begin(
    connection: &mut PgConnection,
    tenant: &Tenant,
    created_at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO tenant (tenant, name, shard, time_zone, created_at, status)
         SELECT $1, $2, shard, $4, $5, 'provisioning' FROM shard WHERE shard = $3 ON CONFLICT (name) DO NOTHING",
        tenant.tenant,
        tenant.name.as_str(),
        tenant.shard,
        tenant.time_zone.name(),
        created_at
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A tenant that nobody else changes before the transaction ends, and the length of its stream.
///
/// `NO KEY`: clients of it may be added meanwhile, whose foreign key would otherwise wait for the shard's writer.
pub(in crate::access) async fn lock(tx: &mut PgConnection, tenant: Uuid) -> Result<(Kept, i32), AccessError> {
    let locked = sqlx::query_scalar!("SELECT shard FROM tenant WHERE tenant = $1 FOR NO KEY UPDATE", tenant)
        .fetch_optional(&mut *tx)
        .await?;
    let shard = locked.ok_or(AccessError::UnknownTenant)?;
    let kept = list(&mut *tx, Some(tenant)).await?.pop().ok_or(AccessError::UnknownTenant)?;
    let version = sqlx::query_scalar!(
        r#"SELECT coalesce(max(version), 0) AS "version!" FROM event WHERE shard = $1 AND stream = $2"#,
        shard,
        tenant
    )
    .fetch_one(tx)
    .await?;
    Ok((kept, version))
}

/// All tenants by name, or the one asked for. Under the reader's policy only the one of the transaction.
pub(in crate::access) async fn list(
    connection: &mut PgConnection,
    only: Option<Uuid>,
) -> Result<Vec<Kept>, AccessError> {
    let rows = sqlx::query!(
        r#"SELECT t.tenant, t.name, t.shard, t.time_zone, t.created_at, t.status, t.legal_mode, t.assets, t.citizen_asset,
                  ARRAY(SELECT h.hostname FROM tenant_hostname h WHERE h.tenant = t.tenant) AS "hostnames!"
           FROM tenant t WHERE $1::uuid IS NULL OR t.tenant = $1 ORDER BY t.name"#,
        only
    )
    .fetch_all(connection)
    .await?;
    let kept = rows.into_iter().map(|row| {
        let hostnames: Result<BTreeSet<Hostname>, _> = row.hostnames.iter().map(|name| name.parse()).collect();
        let settings = Settings {
            status: row.status.parse()?,
            legal_mode: row.legal_mode.as_deref().map(str::parse).transpose()?,
            assets: row.assets.map(|assets| assets.into_iter().collect()),
            citizen_asset: row.citizen_asset,
            hostnames: hostnames?,
        };
        let (tenant, name, shard, time_zone) = (row.tenant, row.name, row.shard, row.time_zone);
        let tenant = Tenant::try_from(TenantRow { tenant, name, shard, time_zone })?;
        Ok(Kept { tenant, settings, created_at: row.created_at })
    });
    kept.collect()
}

/// What was decided about a tenant. Role: whoever may read the tenant.
pub async fn tenant_settings(connection: &mut PgConnection, tenant: Uuid) -> Result<Kept, AccessError> {
    list(connection, Some(tenant)).await?.pop().ok_or(AccessError::UnknownTenant)
}

/// Makes the settings of a locked tenant these.
pub(in crate::access) async fn keep(
    tx: &mut PgConnection,
    tenant: Uuid,
    settings: &Settings,
) -> Result<(), AccessError> {
    let assets: Option<Vec<String>> = settings.assets.as_ref().map(|assets| assets.iter().cloned().collect());
    sqlx::query!(
        "UPDATE tenant SET status = $2, legal_mode = $3, assets = $4, citizen_asset = $5 WHERE tenant = $1",
        tenant,
        settings.status.as_str(),
        settings.legal_mode.map(LegalMode::as_str),
        assets.as_deref(),
        settings.citizen_asset
    )
    .execute(&mut *tx)
    .await?;
    let hostnames: Vec<String> = settings.hostnames.iter().map(ToString::to_string).collect();
    sqlx::query!("DELETE FROM tenant_hostname WHERE tenant = $1 AND hostname <> ALL ($2)", tenant, &hostnames)
        .execute(&mut *tx)
        .await?;
    // Another tenant's name is not skipped over: the statement names what stays, and fails with what is taken.
    sqlx::query!(
        "INSERT INTO tenant_hostname (tenant, hostname)
         SELECT $1, wanted.hostname FROM unnest($2::text[]) AS wanted (hostname)
         WHERE NOT EXISTS (SELECT FROM tenant_hostname own WHERE own.tenant = $1 AND own.hostname = wanted.hostname)",
        tenant,
        &hostnames
    )
    .execute(tx)
    .await
    .map_err(super::explain)?;
    Ok(())
}

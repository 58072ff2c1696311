//! The operator's use cases: tenants come to be, are changed, suspended and resumed.
//!
//! Each step is committed before the next one, and each can be repeated: whoever finds a tenant half made goes on with it. A
//! fact is in the log before the row says so; if the row then fails, the command is repeated and records what is so anew.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::error::AccessError;
use super::event;
use super::settings::{Change, Settings, Status};
use super::store::tenants::{self, Kept};
use super::tenant::{Tenant, TenantName};
use crate::event_store::{Shard, fresh};
use crate::telemetry::clock;

/// What a provisioning found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provisioned {
    /// Nothing, and made the tenant.
    Created,
    /// A tenant that was begun, and finished it.
    Finished,
    /// The tenant as it was to be.
    Existing,
}

/// Makes a tenant, or goes on with one that was begun. Without a shard it goes to the least filled one. Role: operator; `writer`
/// answers the one of a shard.
pub async fn provision_tenant(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    name: TenantName,
    shard: Option<i16>,
    time_zone: chrono_tz::Tz,
) -> Result<(Tenant, Provisioned), AccessError> {
    let placed = match shard {
        Some(shard) => shard,
        None => tenants::emptiest_shard(connection).await?.ok_or(AccessError::UnknownShard)?,
    };
    let wanted = Tenant { tenant: fresh::new_id(), name, shard: placed, time_zone };
    let is_new = tenants::begin(connection, &wanted, clock::now()).await?;
    let found = super::store::tenant_by_name(connection, wanted.name.as_str()).await?;
    let found = found.ok_or(AccessError::UnknownShard)?;
    // What never changes is as it was asked for, or the command means another tenant.
    if found.time_zone != time_zone || shard.is_some_and(|shard| shard != found.shard) {
        return Err(AccessError::NameTaken);
    }
    let mut tx = connection.begin().await?;
    let (kept, version) = tenants::lock(&mut tx, found.tenant).await?;
    if kept.settings.status != Status::Provisioning {
        return Ok((found, Provisioned::Existing));
    }
    if version == 0 {
        event::record_tenant(&writer(found.shard), &found).await?;
    }
    tenants::keep(&mut tx, found.tenant, &Settings { status: Status::Active, ..kept.settings }).await?;
    tx.commit().await?;
    Ok((found, if is_new { Provisioned::Created } else { Provisioned::Finished }))
}

/// Makes a tenant that must not be there. Role: operator; `writer` is the one of the tenant's shard.
pub async fn create_tenant(
    connection: &mut PgConnection,
    writer: &Shard,
    name: TenantName,
    shard: i16,
    time_zone: chrono_tz::Tz,
) -> Result<Tenant, AccessError> {
    match provision_tenant(connection, |_| writer.clone(), name, Some(shard), time_zone).await? {
        (_, Provisioned::Existing) => Err(AccessError::NameTaken),
        (tenant, _) => Ok(tenant),
    }
}

/// All tenants by name. Role: operator.
pub async fn list_tenants(connection: &mut PgConnection) -> Result<Vec<Kept>, AccessError> {
    tenants::list(connection, None).await
}

/// A tenant with what was decided about it. Role: operator.
pub async fn show_tenant(connection: &mut PgConnection, tenant: Uuid) -> Result<Kept, AccessError> {
    tenants::list(connection, Some(tenant)).await?.pop().ok_or(AccessError::UnknownTenant)
}

/// Ends a tenant's writes, within seconds in every process; its reads go on. `false`: it is suspended already. Role: operator.
pub async fn suspend_tenant(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    tenant: Uuid,
    reason: &str,
) -> Result<bool, AccessError> {
    let mut tx = connection.begin().await?;
    let (kept, version) = settled(&mut tx, tenant).await?;
    if kept.settings.status == Status::Suspended {
        return Ok(false);
    }
    event::record_suspension(&writer(kept.tenant.shard), tenant, version, reason).await?;
    tenants::keep(&mut tx, tenant, &Settings { status: Status::Suspended, ..kept.settings }).await?;
    tx.commit().await?;
    Ok(true)
}

/// Lets a suspended tenant write again. `false`: it may. Role: operator.
pub async fn resume_tenant(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    tenant: Uuid,
) -> Result<bool, AccessError> {
    let mut tx = connection.begin().await?;
    let (kept, version) = settled(&mut tx, tenant).await?;
    if kept.settings.status == Status::Active {
        return Ok(false);
    }
    event::record_resumption(&writer(kept.tenant.shard), tenant, version).await?;
    tenants::keep(&mut tx, tenant, &Settings { status: Status::Active, ..kept.settings }).await?;
    tx.commit().await?;
    Ok(true)
}

/// Changes what was decided. `false`: it was so already. Role: operator.
pub async fn change_tenant(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    tenant: Uuid,
    change: &Change,
) -> Result<bool, AccessError> {
    let mut tx = connection.begin().await?;
    let (kept, version) = settled(&mut tx, tenant).await?;
    let Some(changed) = kept.settings.changed(change)? else { return Ok(false) };
    // The rows first: a name that is taken must not be in the log.
    tenants::keep(&mut tx, tenant, &changed).await?;
    event::record_settings(&writer(kept.tenant.shard), tenant, version, &changed).await?;
    tx.commit().await?;
    Ok(true)
}

/// A tenant that is there as a whole.
async fn settled(tx: &mut PgConnection, tenant: Uuid) -> Result<(Kept, i32), AccessError> {
    let (kept, version) = tenants::lock(tx, tenant).await?;
    if kept.settings.status == Status::Provisioning { Err(AccessError::Unfinished) } else { Ok((kept, version)) }
}

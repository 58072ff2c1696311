//! Codes that were sent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::{Of, Thumbprint};
use crate::citizens::challenge::{Challenge, Purpose, TRIES};

/// Adds one.
pub async fn insert(
    tx: &mut PgConnection,
    of: Of,
    challenge: &Challenge,
    created_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO citizen_challenge (shard, tenant, challenge, holder, created_at, expires_at, purpose, code, device_key, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        of.shard,
        of.tenant,
        challenge.id,
        challenge.holder,
        created_at,
        challenge.expires_at,
        challenge.purpose.as_str(),
        &challenge.code,
        challenge.device_key.as_bytes(),
        challenge.details
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts an attempt of the device that asked, before it is judged; `None` when there is nothing to try any more.
pub async fn count(
    tx: &mut PgConnection,
    of: Of,
    (id, purpose): (Uuid, Purpose),
    device_key: Thumbprint,
    now: DateTime<Utc>,
) -> Result<Option<Challenge>, sqlx::Error> {
    let row = sqlx::query!(
        "UPDATE citizen_challenge SET tries = tries + 1
         WHERE shard = $1 AND tenant = $2 AND challenge = $3 AND purpose = $4 AND device_key = $5 AND tries < $6 AND expires_at > $7
         RETURNING holder, code, details, expires_at",
        of.shard,
        of.tenant,
        id,
        purpose.as_str(),
        device_key.as_bytes(),
        TRIES,
        now
    )
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // The column has a check of its length.
    let Ok(code) = row.code.try_into() else { return Ok(None) };
    let (holder, details, expires_at) = (row.holder, row.details, row.expires_at);
    Ok(Some(Challenge { id, purpose, holder, device_key, code, details, expires_at }))
}

/// Whether one is still there; nobody else uses it until the transaction ends.
pub async fn lock(tx: &mut PgConnection, of: Of, id: Uuid) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT tries FROM citizen_challenge WHERE shard = $1 AND tenant = $2 AND challenge = $3 FOR UPDATE",
        of.shard,
        of.tenant,
        id
    );
    Ok(found.fetch_optional(tx).await?.is_some())
}

/// It was used.
pub async fn delete(tx: &mut PgConnection, of: Of, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM citizen_challenge WHERE shard = $1 AND tenant = $2 AND challenge = $3",
        of.shard,
        of.tenant,
        id
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes some away that ended before an instant; answers who would have registered with them. What somebody works on stays.
pub async fn sweep(tx: &mut PgConnection, of: Of, before: DateTime<Utc>) -> Result<Vec<Uuid>, sqlx::Error> {
    let rows = sqlx::query!(
        "DELETE FROM citizen_challenge WHERE (shard, tenant, challenge) IN (
             SELECT shard, tenant, challenge FROM citizen_challenge
             WHERE shard = $1 AND tenant = $2 AND expires_at < $3 ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING holder, purpose",
        of.shard,
        of.tenant,
        before
    )
    .fetch_all(tx)
    .await?;
    let registrations = rows.into_iter().filter(|row| row.purpose == Purpose::Registration.as_str());
    Ok(registrations.map(|row| row.holder).collect())
}

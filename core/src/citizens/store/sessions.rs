//! Sessions of citizens.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::{Of, Thumbprint};
use crate::citizens::refresh::IDLE;

/// A session as it is kept.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub holder: Uuid,
    /// On which device.
    pub device: Uuid,
    /// The number of the refresh token that is good now.
    pub generation: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// Since when that number is the one.
    pub rotated_at: DateTime<Utc>,
}

/// Begins one, and forgets those of the holder that are long over.
pub async fn insert(
    tx: &mut PgConnection,
    of: Of,
    session: &Session,
    device_key: Thumbprint,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM citizen_session WHERE shard = $1 AND tenant = $2 AND holder = $3 AND rotated_at < $4",
        of.shard,
        of.tenant,
        session.holder,
        session.created_at - IDLE
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO citizen_session (shard, tenant, session, holder, device, device_key, generation, created_at, rotated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        of.shard,
        of.tenant,
        session.id,
        session.holder,
        session.device,
        device_key.as_bytes(),
        session.generation,
        session.created_at,
        session.rotated_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One that has not ended, of a device; nobody else rotates it until the transaction ends.
pub async fn lock(
    tx: &mut PgConnection,
    of: Of,
    session: Uuid,
    device_key: Thumbprint,
    now: DateTime<Utc>,
) -> Result<Option<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        "SELECT session AS id, holder, device, generation, created_at, rotated_at FROM citizen_session
         WHERE shard = $1 AND tenant = $2 AND session = $3 AND device_key = $4 AND ended_at IS NULL AND rotated_at > $5
         FOR NO KEY UPDATE",
        of.shard,
        of.tenant,
        session,
        device_key.as_bytes(),
        now - IDLE
    )
    .fetch_optional(tx)
    .await
}

/// Makes the next number the one.
pub async fn rotate(
    tx: &mut PgConnection,
    of: Of,
    session: Uuid,
    generation: i32,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE citizen_session SET generation = $4, rotated_at = $5 WHERE shard = $1 AND tenant = $2 AND session = $3",
        of.shard,
        of.tenant,
        session,
        generation,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Those of a holder that have not ended, the newest first.
pub async fn open(
    tx: &mut PgConnection,
    of: Of,
    holder: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        "SELECT session AS id, holder, device, generation, created_at, rotated_at FROM citizen_session
         WHERE shard = $1 AND tenant = $2 AND holder = $3 AND ended_at IS NULL AND rotated_at > $4
         ORDER BY created_at DESC, session LIMIT 100",
        of.shard,
        of.tenant,
        holder,
        now - IDLE
    )
    .fetch_all(tx)
    .await
}

/// The newest of a holder, ended or not.
pub async fn newest(tx: &mut PgConnection, of: Of, holder: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT session FROM citizen_session WHERE shard = $1 AND tenant = $2 AND holder = $3 ORDER BY created_at DESC, session LIMIT 50",
        of.shard,
        of.tenant,
        holder
    )
    .fetch_all(tx)
    .await
}

/// Ends sessions of a holder: this one, those of a device, or all. Answers how many that ended.
pub async fn end(
    tx: &mut PgConnection,
    of: Of,
    holder: Uuid,
    (session, device): (Option<Uuid>, Option<Uuid>),
) -> Result<u64, sqlx::Error> {
    // Tokens are refused by the database's clock, so it says when.
    let ended = sqlx::query!(
        "UPDATE citizen_session SET ended_at = clock_timestamp()
         WHERE shard = $1 AND tenant = $2 AND holder = $3 AND ended_at IS NULL
           AND ($4::uuid IS NULL OR session = $4) AND ($5::uuid IS NULL OR device = $5)",
        of.shard,
        of.tenant,
        holder,
        session,
        device
    );
    Ok(ended.execute(tx).await?.rows_affected())
}

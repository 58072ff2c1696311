//! Activation codes.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::Of;
use crate::terminals::code::{ANSWERED_AGAIN, TRIES};

/// A code as it is kept.
pub struct Kept {
    /// A keyed digest of it.
    pub digest: Vec<u8>,
    /// The key that it was used with.
    pub used_by: Option<String>,
}

/// Adds one, and forgets those that are long over.
pub async fn insert(
    tx: &mut PgConnection,
    of: Of,
    (code, terminal): (Uuid, Uuid),
    digest: &[u8; 32],
    (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM terminal_code WHERE (shard, tenant, code) IN (
             SELECT shard, tenant, code FROM terminal_code
             WHERE shard = $1 AND tenant = $2 AND expires_at < $3 ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)",
        of.shard,
        of.tenant,
        now - ANSWERED_AGAIN
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO terminal_code (shard, tenant, code, terminal, digest, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        of.shard,
        of.tenant,
        code,
        terminal,
        digest,
        expires_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts an attempt before it is judged; `None` when there is nothing to try any more. One that was used may be repeated for a while.
pub async fn count(
    tx: &mut PgConnection,
    of: Of,
    (code, terminal): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<Option<Kept>, sqlx::Error> {
    sqlx::query_as!(
        Kept,
        "UPDATE terminal_code SET tries = tries + 1
         WHERE shard = $1 AND tenant = $2 AND code = $3 AND terminal = $4 AND tries < $5
           AND (expires_at > $6 OR (used_by IS NOT NULL AND expires_at > $7))
         RETURNING digest, used_by",
        of.shard,
        of.tenant,
        code,
        terminal,
        TRIES,
        now,
        now - ANSWERED_AGAIN
    )
    .fetch_optional(tx)
    .await
}

/// A right attempt is none of the few.
pub async fn take_back(tx: &mut PgConnection, of: Of, code: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE terminal_code SET tries = tries - 1 WHERE shard = $1 AND tenant = $2 AND code = $3 AND tries > 0",
        of.shard,
        of.tenant,
        code
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Uses one with a key. `false` when it was used before; nobody else does until the transaction ends.
pub async fn claim(tx: &mut PgConnection, of: Of, code: Uuid, key: &str) -> Result<bool, sqlx::Error> {
    let claimed = sqlx::query!(
        "UPDATE terminal_code SET used_by = $4 WHERE shard = $1 AND tenant = $2 AND code = $3 AND used_by IS NULL",
        of.shard,
        of.tenant,
        code,
        key
    );
    Ok(claimed.execute(tx).await?.rows_affected() == 1)
}

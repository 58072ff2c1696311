//! Certificates that were signed last.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::Of;

/// Keeps one in place of the one before.
pub async fn put(
    tx: &mut PgConnection,
    of: Of,
    terminal: Uuid,
    (key, chain): (&str, &str),
    ends_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO terminal_certificate (shard, tenant, terminal, key, ends_at, chain) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (shard, tenant, terminal) DO UPDATE SET key = excluded.key, ends_at = excluded.ends_at, chain = excluded.chain",
        of.shard,
        of.tenant,
        terminal,
        key,
        ends_at,
        chain
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The one over a key, with those who vouch for it, if it was the last and has not ended.
pub async fn find(
    tx: &mut PgConnection,
    of: Of,
    terminal: Uuid,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT chain FROM terminal_certificate WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND key = $4 AND ends_at > $5",
        of.shard,
        of.tenant,
        terminal,
        key,
        now
    );
    found.fetch_optional(tx).await
}

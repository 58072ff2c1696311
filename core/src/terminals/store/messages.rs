//! Messages of terminals by their numbers.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::Of;

/// Notes a message, unless one of its number was noted; answers the digest that stands there.
pub async fn note(
    tx: &mut PgConnection,
    of: Of,
    (terminal, seq): (Uuid, i64),
    digest: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO terminal_message (shard, tenant, terminal, seq, digest, received_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
        of.shard,
        of.tenant,
        terminal,
        seq,
        digest,
        now
    )
    .execute(&mut *tx)
    .await?;
    let noted = sqlx::query_scalar!(
        "SELECT digest FROM terminal_message WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND seq = $4",
        of.shard,
        of.tenant,
        terminal,
        seq
    );
    noted.fetch_one(tx).await
}

/// The highest number that was noted. Role: reader.
pub async fn highest(tx: &mut PgConnection, of: Of, terminal: Uuid) -> Result<i64, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT seq FROM terminal_message WHERE shard = $1 AND tenant = $2 AND terminal = $3 ORDER BY seq DESC LIMIT 1",
        of.shard,
        of.tenant,
        terminal
    );
    Ok(found.fetch_optional(tx).await?.unwrap_or_default())
}

/// Numbers after one and up to another that nobody noted, a few of them. Role: reader.
pub async fn missing(
    tx: &mut PgConnection,
    of: Of,
    terminal: Uuid,
    (after, up_to): (i64, i64),
    limit: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    // From one noted number to the next: a gap is as cheap to find as it is narrow, and nothing is counted that is there.
    sqlx::query_scalar!(
        r#"SELECT gap AS "gap!" FROM (
               SELECT seq, lag(seq, 1, $4) OVER (ORDER BY seq) AS before
               FROM (SELECT seq FROM terminal_message WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND seq > $4 AND seq <= $5
                     UNION ALL SELECT $5::bigint + 1) noted
           ) pairs
           CROSS JOIN LATERAL generate_series(before + 1, least(seq - 1, before + $6)) AS gap
           WHERE seq > before + 1 ORDER BY gap LIMIT $6"#,
        of.shard,
        of.tenant,
        terminal,
        after,
        up_to,
        limit
    )
    .fetch_all(tx)
    .await
}

//! Personal keys and their owners.

use sqlx::PgConnection;
use uuid::Uuid;

/// Owners of personal keys that were claimed up to a position, with the tenants of their rows, by owner.
pub async fn owners(
    session: &mut PgConnection,
    shard: i16,
    after: Uuid,
    position: i64,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT DISTINCT owner, tenant FROM personal_key WHERE shard = $1 AND owner > $2 AND position <= $3 ORDER BY owner, tenant LIMIT $4",
        shard,
        after,
        position,
        limit
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| (row.owner, row.tenant)).collect())
}

/// Those of some streams that have no event of a kind.
pub async fn without_event(
    session: &mut PgConnection,
    shard: i16,
    streams: &[Uuid],
    kind: &str,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT wanted.stream AS "stream!" FROM unnest($2::uuid[]) AS wanted (stream)
           WHERE NOT EXISTS (SELECT FROM event e WHERE e.shard = $1 AND e.stream = wanted.stream AND e.kind = $3)"#,
        shard,
        streams,
        kind
    )
    .fetch_all(session)
    .await
}

//! Recorded facts by the places where they stand.

use crate::event_store::look_up::{self, FoundRequest};
use crate::event_store::{EntryAfter, Recorded};
use crate::kernel::{Instant, Minor};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// The tenant's events at these positions, by position. One that is missing is another tenant's.
pub async fn events_at(
    tx: &mut PgConnection,
    shard: i16,
    positions: &[i64],
) -> Result<HashMap<i64, Recorded>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT e.position, e.tenant, e.stream, e.version, e.kind, e.payload::text AS "payload!", e.effective_at, b.recorded_at
           FROM event e
           CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
           WHERE e.shard = $1 AND e.position = ANY ($2)"#,
        shard,
        positions
    )
    .fetch_all(tx)
    .await?;
    let recorded = rows.into_iter().map(|row| Recorded {
        position: row.position,
        tenant: row.tenant,
        stream: row.stream,
        version: row.version,
        kind: row.kind.into(),
        payload: row.payload.into(),
        effective_at: row.effective_at,
        recorded_at: row.recorded_at,
    });
    Ok(recorded.map(|event| (event.position, event)).collect())
}

/// Entries by the account's number and the entry's version, in the order asked for.
pub async fn entries_by_version(
    tx: &mut PgConnection,
    shard: i16,
    wanted: &[(Uuid, i64, i64)],
) -> Result<Vec<EntryAfter>, sqlx::Error> {
    let ids: Vec<Uuid> = wanted.iter().map(|w| w.0).collect();
    let numbers: Vec<i64> = wanted.iter().map(|w| w.1).collect();
    let versions: Vec<i64> = wanted.iter().map(|w| w.2).collect();
    let rows = sqlx::query!(
        r#"SELECT wanted.id AS "id!", e.account, e.version, e.position, e.kind, e.amount, e.posted, e.held, e.incoming
           FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS wanted (id, account, version, ordinality)
           JOIN entry e ON e.shard = $1 AND e.account = wanted.account AND e.version = wanted.version
           ORDER BY wanted.ordinality"#,
        shard,
        &ids,
        &numbers,
        &versions
    )
    .fetch_all(tx)
    .await?;
    let entries = rows.into_iter().map(|row| EntryAfter {
        account: row.id,
        number: row.account,
        version: row.version,
        position: row.position,
        kind: row.kind,
        amount: Minor::from_bigint(row.amount),
        posted: Minor::from_bigint(row.posted),
        held: Minor::from_bigint(row.held),
        incoming: Minor::from_bigint(row.incoming),
    });
    Ok(entries.collect())
}

/// What was answered under a key.
pub async fn request(
    tx: &mut PgConnection,
    shard: i16,
    scope: (Uuid, Uuid, String),
) -> Result<Option<FoundRequest>, sqlx::Error> {
    let mut found = look_up::requests(tx, shard, std::slice::from_ref(&scope)).await?;
    Ok(found.remove(&scope))
}

/// When the event at a position was recorded.
pub async fn recorded_at(tx: &mut PgConnection, shard: i16, position: i64) -> Result<Option<Instant>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT recorded_at FROM batch WHERE shard = $1 AND last_position >= $2 ORDER BY last_position, seq LIMIT 1",
        shard,
        position
    )
    .fetch_optional(tx)
    .await
}

/// Positions of transactions that carry all of these metadata members, newest first.
pub async fn transactions_by_metadata(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    digests: &[Uuid],
    before: i64,
    limit: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    // The first member drives the index; the others are looked up per row.
    sqlx::query_scalar!(
        "SELECT m.position FROM transaction_metadata m
         WHERE m.shard = $1 AND m.tenant = $2 AND m.digest = ($3::uuid[])[1] AND m.position < $4
           AND NOT EXISTS (
               SELECT FROM unnest($3) AS other (digest)
               WHERE NOT EXISTS (
                   SELECT FROM transaction_metadata o
                   WHERE o.shard = $1 AND o.tenant = $2 AND o.digest = other.digest AND o.position = m.position))
         ORDER BY m.position DESC LIMIT $5",
        shard,
        tenant,
        digests,
        before,
        limit
    )
    .fetch_all(tx)
    .await
}

//! Reading the log as a tenant: everything here runs inside [`tenant_tx`].

use super::proposal::{EntryAfter, Recorded};
use crate::kernel::{Instant, Minor};
use sqlx::{Executor, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

/// A transaction that sees one tenant's rows and no others. The setting ends with the transaction,
/// so a pooled connection never carries it to the next caller.
pub async fn tenant_tx(pool: &PgPool, tenant: Uuid) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    // Opening a connection is a future of 14 KiB; boxed once here, the futures of all callers stay small.
    // Both statements travel together: a read is short, and each way to the server and back is a part of it.
    Box::pin(pool.begin_with(format!("BEGIN; SET LOCAL app.tenant = '{tenant}'"))).await
}

/// The same with one snapshot for all of its statements, taken when nobody can replace these tables any more
/// (`vintem rebuild` does so): what is read later of any of them is of the same moment.
pub async fn tenant_snapshot(
    pool: &PgPool,
    tenant: Uuid,
    tables: &[&str],
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    // Neither the setting nor a lock takes a snapshot; the first query after them does.
    let opening = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL app.tenant = '{tenant}'");
    let mut tx = Box::pin(pool.begin_with(opening)).await?;
    // Apart from BEGIN: a connection whose opening failed would go back to the pool inside a transaction that failed.
    tx.execute(&*format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", "))).await?;
    Ok(tx)
}

struct EventColumns {
    position: i64,
    tenant: Uuid,
    stream: Uuid,
    version: i32,
    kind: String,
    payload: String,
    effective_at: Option<Instant>,
    recorded_at: Instant,
}

impl From<EventColumns> for Recorded {
    fn from(row: EventColumns) -> Self {
        Self {
            position: row.position,
            tenant: row.tenant,
            stream: row.stream,
            version: row.version,
            kind: row.kind.into(),
            payload: row.payload.into(),
            effective_at: row.effective_at,
            recorded_at: row.recorded_at,
        }
    }
}

/// All events of some streams, stream by stream, in order.
pub async fn streams(tx: &mut PgConnection, shard: i16, streams: &[Uuid]) -> Result<Vec<Recorded>, sqlx::Error> {
    let rows = sqlx::query_as!(
        EventColumns,
        r#"SELECT e.position, e.tenant, e.stream, e.version, e.kind, e.payload::text AS "payload!", e.effective_at, b.recorded_at
           FROM event e
           CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
           WHERE e.shard = $1 AND e.stream = ANY ($2)
           ORDER BY e.stream, e.version"#,
        shard,
        streams
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Recorded::from).collect())
}

/// The tenant's events after a position, from a window of the log, in order.
pub async fn window(
    tx: &mut PgConnection,
    shard: i16,
    after: i64,
    to: i64,
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let rows = sqlx::query_as!(
        EventColumns,
        r#"SELECT e.position, e.tenant, e.stream, e.version, e.kind, e.payload::text AS "payload!", e.effective_at, b.recorded_at
           FROM event e
           CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
           WHERE e.shard = $1 AND e.position > $2 AND e.position <= $3
           ORDER BY e.position
           LIMIT $4"#,
        shard,
        after,
        to,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Recorded::from).collect())
}

/// The entries that events left: one per pair of account and position, in the order asked for.
///
/// `OFFSET 0` keeps the version a value of its own: `version_at` is not leakproof, so under row level security a
/// condition that calls it would not be looked up in the index but tried on every entry of the account.
pub async fn entries(
    tx: &mut PgConnection,
    shard: i16,
    wanted: &[(Uuid, i64)],
) -> Result<Vec<EntryAfter>, sqlx::Error> {
    let accounts: Vec<Uuid> = wanted.iter().map(|w| w.0).collect();
    let positions: Vec<i64> = wanted.iter().map(|w| w.1).collect();
    let rows = sqlx::query!(
        r#"SELECT a.id, e.account, e.version, e.position, e.kind, e.amount, e.posted, e.held, e.incoming
           FROM unnest($2::uuid[], $3::bigint[]) WITH ORDINALITY AS wanted (id, position, ordinality)
           JOIN account a ON a.shard = $1 AND a.id = wanted.id
           CROSS JOIN LATERAL (SELECT version_at($1, a.account, wanted.position) AS version OFFSET 0) newest
           JOIN entry e ON e.shard = $1 AND e.account = a.account AND e.version = newest.version AND e.position = wanted.position
           ORDER BY wanted.ordinality"#,
        shard,
        &accounts,
        &positions
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

/// A point of the log and its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The newest position at or before the instant; 0 when there is none.
    pub position: i64,
    /// When the batch that wrote it was recorded.
    pub recorded_at: Option<Instant>,
}

/// The newest point of a shard, or the newest at an instant.
pub async fn point(tx: &mut PgConnection, shard: i16, at: Option<Instant>) -> Result<Point, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT last_position, recorded_at FROM batch
         WHERE shard = $1 AND ($2::timestamptz IS NULL OR recorded_at <= $2)
         ORDER BY recorded_at DESC, seq DESC LIMIT 1",
        shard,
        at
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map_or(Point { position: 0, recorded_at: None }, |row| Point {
        position: row.last_position,
        recorded_at: Some(row.recorded_at),
    }))
}

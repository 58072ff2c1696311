//! Pages of the log as a follower reads them.

use crate::event_store::chain::Tip;
use crate::kernel::Instant;
use sqlx::PgConnection;
use uuid::Uuid;

/// A batch, without its contents.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Its number.
    pub seq: i64,
    /// Its epoch.
    pub epoch: i32,
    /// Where it ends.
    pub last_position: i64,
    /// The chain's value after it.
    pub tip: Tip,
    /// The instant of everything in it.
    pub recorded_at: Instant,
}

/// Batches from a number on, in order.
pub async fn batches(session: &mut PgConnection, shard: i16, from: i64, limit: i64) -> Result<Vec<Batch>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT seq, epoch, last_position, tip, recorded_at FROM batch WHERE shard = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        shard,
        from,
        limit
    )
    .fetch_all(session)
    .await?;
    let batches = rows.into_iter().map(|row| Batch {
        seq: row.seq,
        epoch: row.epoch,
        last_position: row.last_position,
        // A stored tip always has 32 bytes: the table checks it.
        tip: Tip::try_from(row.tip.as_slice()).unwrap_or_default(),
        recorded_at: row.recorded_at,
    });
    Ok(batches.collect())
}

/// How many events were recorded within the last quarter of a second.
pub async fn recorded_lately(session: &mut PgConnection, shard: i16) -> Result<i64, sqlx::Error> {
    let events = sqlx::query_scalar!(
        "SELECT max(last_position) - min(first_position) + 1 AS \"events\" FROM batch WHERE shard = $1 AND recorded_at > clock_timestamp() - interval '250 milliseconds'",
        shard
    )
    .fetch_one(session)
    .await?;
    Ok(events.unwrap_or(0))
}

/// The columns of an event that a fold may look at.
#[derive(Debug)]
pub struct EventRow {
    /// Where it stands.
    pub position: i64,
    /// Whose it is.
    pub tenant: Uuid,
    /// What it is about.
    pub stream: Uuid,
    /// What happened.
    pub kind: String,
    /// The facts.
    pub payload: String,
    /// The value date where it was given.
    pub effective_at: Option<Instant>,
}

/// Events after a position, up to another.
pub async fn events(session: &mut PgConnection, shard: i16, after: i64, to: i64) -> Result<Vec<EventRow>, sqlx::Error> {
    sqlx::query_as!(
        EventRow,
        r#"SELECT position, tenant, stream, kind, payload::text AS "payload!", effective_at FROM event
           WHERE shard = $1 AND position > $2 AND position <= $3 ORDER BY position"#,
        shard,
        after,
        to
    )
    .fetch_all(session)
    .await
}

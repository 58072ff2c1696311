//! The log as a follower reads it that wants the events themselves: page by page, each with the batch that recorded it.
//!
//! A checkpoint is a position and the newest batch at or before it, so a page may end in the middle of a batch. As for
//! the relay ([`super::outbox`]), a batch that is no longer in the log means that history was restored to before it.

use super::head::{Head, as_tip};
use super::outbox;
use crate::kernel::Instant;
use sqlx::PgPool;
use uuid::Uuid;

/// Batches looked at for a page; most hold several events.
const BATCHES: i64 = 1_000;

/// An event as others may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log.
    pub position: i64,
    /// Whose it is.
    pub tenant: Uuid,
    /// What it is about.
    pub stream: Uuid,
    /// Its number in the stream.
    pub version: i32,
    /// What happened.
    pub kind: String,
    /// The facts, as recorded.
    pub payload: String,
    /// The value date where it was given.
    pub effective_at: Option<Instant>,
    /// The epoch that recorded it.
    pub epoch: i32,
    /// When.
    pub recorded_at: Instant,
}

/// What follows a checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// These events, after which the checkpoint is that head. None of them when nothing on the way is the tenant's.
    Page(Vec<Event>, Head),
    /// Nothing yet.
    Nothing,
    /// The batch of the checkpoint is not in the log. Here is where the newest epoch began, if one ever did.
    Forked(Option<Head>),
}

struct Batch {
    seq: i64,
    epoch: i32,
    last_position: i64,
    tip: Vec<u8>,
    recorded_at: Instant,
}

/// Reads what follows a checkpoint: `limit` positions at most, and of these one tenant's events, or everybody's.
pub async fn next(pool: &PgPool, shard: i16, at: &Head, tenant: Option<Uuid>, limit: i64) -> Result<Next, sqlx::Error> {
    // The batch of the checkpoint comes along, to see whether it is still the same.
    let batches = sqlx::query_as!(
        Batch,
        "SELECT seq, epoch, last_position, tip, recorded_at FROM batch WHERE shard = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        shard,
        at.seq,
        BATCHES
    )
    .fetch_all(pool)
    .await?;
    if at.seq > 0 && batches.first().is_none_or(|first| (first.seq, as_tip(&first.tip)) != (at.seq, at.tip)) {
        return Ok(Next::Forked(outbox::newest_recovery(pool, shard).await?));
    }
    let Some(newest) = batches.last() else { return Ok(Next::Nothing) };
    let to = newest.last_position.min(at.last_position.saturating_add(limit));
    let events =
        if to > at.last_position { events(pool, shard, at.last_position, to, tenant, &batches).await? } else { vec![] };
    let reached = batches.iter().rev().find(|batch| batch.last_position <= to && batch.seq > at.seq);
    let reached = reached.map_or(Head { last_position: to.max(at.last_position), ..*at }, |batch| Head {
        seq: batch.seq,
        epoch: batch.epoch,
        last_position: to.max(at.last_position),
        tip: as_tip(&batch.tip),
    });
    Ok(if reached == *at { Next::Nothing } else { Next::Page(events, reached) })
}

/// Events after a position up to another, all of which are in these batches.
async fn events(
    pool: &PgPool,
    shard: i16,
    after: i64,
    to: i64,
    tenant: Option<Uuid>,
    batches: &[Batch],
) -> Result<Vec<Event>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT position, tenant, stream, version, kind, payload::text AS "payload!", effective_at FROM event
           WHERE shard = $1 AND position > $2 AND position <= $3 AND ($4::uuid IS NULL OR tenant = $4) ORDER BY position"#,
        shard,
        after,
        to,
        tenant
    )
    .fetch_all(pool)
    .await?;
    // A batch records the positions between its predecessor's last and its own.
    let batch_of = |position| batches.get(batches.partition_point(|batch| batch.last_position < position));
    let events = rows.into_iter().filter_map(|row| {
        let batch = batch_of(row.position)?;
        Some(Event {
            position: row.position,
            tenant: row.tenant,
            stream: row.stream,
            version: row.version,
            kind: row.kind,
            payload: row.payload,
            effective_at: row.effective_at,
            epoch: batch.epoch,
            recorded_at: batch.recorded_at,
        })
    });
    Ok(events.collect())
}

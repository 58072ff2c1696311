//! Pages of the log: batches, events, requests.

use crate::event_store::chain::{BatchHeader, Tip};
use crate::event_store::overlay::{EventRow, Origin};
use crate::event_store::proposal::Recorded;
use crate::kernel::Instant;
use sqlx::PgConnection;
use uuid::Uuid;

/// Where a verification ends.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// The newest batch; 0 when there is none.
    pub seq: i64,
    /// Its epoch.
    pub epoch: i32,
    /// Its tip.
    pub tip: Option<Tip>,
    /// The position that it says it reaches.
    pub batched: i64,
    /// The newest event that there is.
    pub position: i64,
    /// The newest batch that a request names.
    pub newest_request: i64,
}

/// Reads the end of a shard's log in one snapshot.
pub async fn end(session: &mut PgConnection, shard: i16) -> Result<End, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT newest.seq AS "seq?", newest.epoch AS "epoch?", newest.last_position AS "last_position?", newest.tip AS "tip?",
                  (SELECT max(position) FROM event WHERE event.shard = $1) AS position,
                  (SELECT max(seq) FROM request WHERE request.shard = $1) AS request
           FROM (SELECT) one
           LEFT JOIN LATERAL (SELECT seq, epoch, last_position, tip FROM batch WHERE batch.shard = $1 ORDER BY seq DESC LIMIT 1) newest ON true"#,
        shard
    )
    .fetch_one(session)
    .await?;
    Ok(End {
        seq: row.seq.unwrap_or(0),
        epoch: row.epoch.unwrap_or(1),
        tip: row.tip.as_deref().map(as_tip),
        batched: row.last_position.unwrap_or(0),
        position: row.position.unwrap_or(0),
        newest_request: row.request.unwrap_or(0),
    })
}

/// The newest event of a shard.
pub async fn newest(session: &mut PgConnection, shard: i16) -> Result<i64, sqlx::Error> {
    let newest =
        sqlx::query_scalar!("SELECT max(position) FROM event WHERE shard = $1", shard).fetch_one(session).await?;
    Ok(newest.unwrap_or(0))
}

/// A batch row.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// What is hashed.
    pub header: BatchHeader,
    /// The tip that it states.
    pub tip: Tip,
}

/// Batches after a seq, up to another, in order.
pub async fn batches(
    session: &mut PgConnection,
    shard: i16,
    after: i64,
    to: i64,
    limit: i64,
) -> Result<Vec<Batch>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT seq, epoch, first_position, last_position, tip, recorded_at, flags FROM batch
         WHERE shard = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
        shard,
        after,
        to,
        limit
    )
    .fetch_all(session)
    .await?;
    let batches = rows.into_iter().map(|row| {
        let (first_position, last_position) = (row.first_position, row.last_position);
        let header = BatchHeader {
            shard,
            seq: row.seq,
            epoch: row.epoch,
            first_position,
            last_position,
            recorded_at: row.recorded_at,
            flags: row.flags,
        };
        Batch { header, tip: as_tip(&row.tip) }
    });
    Ok(batches.collect())
}

/// Events in order of position.
#[derive(Debug, Default)]
pub struct Events {
    /// As the writer had them in hand; when they were recorded is in their batch and filled in later.
    pub rows: Vec<EventRow>,
    /// The columns that the writer sets itself: schema and causation.
    pub rest: Vec<(i16, Option<i64>)>,
}

/// Events after a position, up to another.
pub async fn events(
    session: &mut PgConnection,
    shard: i16,
    after: i64,
    to: i64,
    limit: i64,
) -> Result<Events, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT position, tenant, stream, version, kind, schema, payload::text AS "payload!", actor, causation, correlation, effective_at FROM event
           WHERE shard = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4"#,
        shard,
        after,
        to,
        limit
    )
    .fetch_all(session)
    .await?;
    let mut events = Events { rows: Vec::with_capacity(rows.len()), rest: Vec::with_capacity(rows.len()) };
    for row in rows {
        events.rest.push((row.schema, row.causation));
        events.rows.push(EventRow {
            recorded: Recorded {
                position: row.position,
                tenant: row.tenant,
                stream: row.stream,
                version: row.version,
                kind: row.kind.into(),
                payload: row.payload.into(),
                effective_at: row.effective_at,
                recorded_at: Instant::UNIX_EPOCH,
            },
            origin: Origin {
                tenant: row.tenant,
                actor: row.actor.into(),
                correlation: row.correlation.map(Into::into),
            },
        });
    }
    Ok(events)
}

/// A request row.
#[derive(Debug, Clone)]
pub struct Request {
    /// The batch that it says it stands in.
    pub seq: i64,
    /// Tenant.
    pub tenant: Uuid,
    /// Who asked.
    pub principal: Uuid,
    /// Under which key.
    pub key: String,
    /// What was asked.
    pub fingerprint: Vec<u8>,
    /// HTTP status.
    pub status: i16,
    /// Refusal code.
    pub code: Option<String>,
    /// Its first event.
    pub position: Option<i64>,
}

/// Requests of the batches after a seq, up to another, batch by batch.
pub async fn requests(
    session: &mut PgConnection,
    shard: i16,
    after: i64,
    to: i64,
) -> Result<Vec<Request>, sqlx::Error> {
    sqlx::query_as!(
        Request,
        "SELECT seq, tenant, principal, key, fingerprint, status, code, position FROM request
         WHERE shard = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
        shard,
        after,
        to
    )
    .fetch_all(session)
    .await
}

/// Of these events (stream, version, position) the positions of those that do not follow, in the log,
/// the version before in their stream.
pub async fn without_predecessor(
    session: &mut PgConnection,
    shard: i16,
    events: &[(Uuid, i32, i64)],
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT wanted.position AS "position!" FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS wanted (stream, version, position)
           LEFT JOIN event e ON e.shard = $1 AND e.stream = wanted.stream AND e.version = wanted.version - 1
           WHERE e.position IS NULL OR e.position >= wanted.position ORDER BY wanted.position"#,
        shard,
        &events.iter().map(|e| e.0).collect::<Vec<_>>() as _,
        &events.iter().map(|e| e.1).collect::<Vec<_>>() as _,
        &events.iter().map(|e| e.2).collect::<Vec<_>>() as _
    )
    .fetch_all(session)
    .await
}

/// A stored tip always has 32 bytes: the table checks it.
fn as_tip(bytes: &[u8]) -> Tip {
    let mut tip = [0; 32];
    tip.copy_from_slice(bytes);
    tip
}

//! What is due, who delivers it, and what became of it. Role: webhooks.
//!
//! A claim is a short transaction; nothing is locked while a request is out. Who claims moves the due time, so that what
//! a process that died had claimed is due again by itself, and its own late word no longer counts.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use crate::kernel::Instant;
use crate::webhooks::message::Event;

/// A delivery that is ours for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Where it is.
    pub at: Place,
    /// Ours.
    pub claim: Uuid,
    /// How often this round has tried.
    pub tries: i32,
    /// Where it goes.
    pub url: String,
    /// What goes; `None` when a recovery abandoned the epoch that recorded it.
    pub event: Option<Event>,
    /// Every secret that signs: number, and sealed bytes; the newest first.
    pub secrets: Vec<(i32, String)>,
}

/// Which delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The shard.
    pub shard: i16,
    /// The tenant.
    pub tenant: Uuid,
    /// The endpoint.
    pub endpoint: Uuid,
    /// The epoch that recorded the event.
    pub epoch: i32,
    /// The event.
    pub position: i64,
}

/// How much is claimed at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Portion {
    /// Of one endpoint.
    pub per_endpoint: i64,
    /// Of all.
    pub total: i64,
    /// After this long others may take it for abandoned.
    pub seconds: i64,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// It is tried again after so long.
    Again(Duration),
    /// It stays in the list.
    Failed,
    /// It stays in the list, and its endpoint is disabled.
    Gone,
}

/// An attempt's result.
#[derive(Debug, Clone, Copy)]
pub struct Attempted {
    /// How long it took.
    pub milliseconds: i32,
    /// The HTTP status, where there was an answer.
    pub status: Option<i16>,
    /// A word for it.
    pub outcome: &'static str,
    /// What follows.
    pub fate: Fate,
}

/// Claims what is due, but nothing of the endpoints that are busy.
pub async fn claim(pool: &PgPool, claim: Uuid, busy: &[Uuid], portion: Portion) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH due AS MATERIALIZED (
               SELECT d.shard, d.tenant, d.endpoint, d.epoch, d.position
               FROM webhook_endpoint w
               CROSS JOIN LATERAL (
                   SELECT * FROM webhook_delivery d
                   WHERE d.shard = w.shard AND d.tenant = w.tenant AND d.endpoint = w.endpoint AND d.state = 'pending' AND d.due_at <= now()
                   ORDER BY d.due_at LIMIT $3 FOR UPDATE SKIP LOCKED
               ) d
               WHERE w.state = 'enabled' AND w.endpoint <> ALL ($2)
               LIMIT $4
           ), ours AS (
               UPDATE webhook_delivery d SET claim = $1, due_at = now() + $5::bigint * interval '1 second'
               FROM due
               WHERE d.shard = due.shard AND d.tenant = due.tenant AND d.endpoint = due.endpoint AND d.epoch = due.epoch AND d.position = due.position
               RETURNING d.shard, d.tenant, d.endpoint, d.epoch, d.position, d.tries
           )
           SELECT o.shard, o.tenant, o.endpoint, o.epoch, o.position, o.tries, w.url,
                  e.stream AS "stream?", e.version AS "version?", e.kind AS "kind?", e.payload AS "payload?", e.effective_at, e.recorded_at AS "recorded_at?",
                  ARRAY(SELECT s.number FROM webhook_secret s WHERE s.shard = o.shard AND s.tenant = o.tenant AND s.endpoint = o.endpoint
                        AND (s.ends_at IS NULL OR s.ends_at > now()) ORDER BY s.number DESC) AS "numbers!",
                  ARRAY(SELECT s.sealed FROM webhook_secret s WHERE s.shard = o.shard AND s.tenant = o.tenant AND s.endpoint = o.endpoint
                        AND (s.ends_at IS NULL OR s.ends_at > now()) ORDER BY s.number DESC) AS "sealed!"
           FROM ours o
           JOIN webhook_endpoint w ON w.shard = o.shard AND w.tenant = o.tenant AND w.endpoint = o.endpoint
           LEFT JOIN LATERAL (
               SELECT e.stream, e.version, e.kind, e.payload::text AS payload, e.effective_at, b.recorded_at
               FROM event e
               CROSS JOIN LATERAL (SELECT recorded_at, epoch FROM batch WHERE batch.shard = o.shard AND batch.last_position >= o.position ORDER BY last_position, seq LIMIT 1) b
               WHERE e.shard = o.shard AND e.position = o.position AND e.tenant = o.tenant AND b.epoch = o.epoch
           ) e ON true"#,
        claim,
        busy,
        portion.per_endpoint,
        portion.total,
        portion.seconds
    )
    .fetch_all(pool)
    .await?;
    let claimed = rows.into_iter().map(|row| Claimed {
        at: Place {
            shard: row.shard,
            tenant: row.tenant,
            endpoint: row.endpoint,
            epoch: row.epoch,
            position: row.position,
        },
        claim,
        tries: row.tries,
        url: row.url,
        event: (|| {
            Some(Event {
                stream: row.stream?,
                version: row.version?,
                kind: row.kind?,
                payload: row.payload?,
                effective_at: row.effective_at,
                recorded_at: row.recorded_at?,
            })
        })(),
        secrets: row.numbers.into_iter().zip(row.sealed).collect(),
    });
    Ok(claimed.collect())
}

/// Notes an attempt and what follows from it. `false` when the claim is no longer ours.
pub async fn settle(pool: &PgPool, at: Place, claim: Uuid, attempted: Attempted) -> Result<bool, sqlx::Error> {
    let (state, wait) = match attempted.fate {
        Fate::Delivered => ("delivered", None),
        Fate::Again(wait) => ("pending", Some(wait)),
        Fate::Failed | Fate::Gone => ("failed", None),
    };
    let wait_ms = wait.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    let mut tx = pool.begin().await?;
    let noted = sqlx::query!(
        "WITH settled AS (
             UPDATE webhook_delivery SET state = $7, attempts = attempts + 1, tries = tries + 1, claim = NULL,
                    due_at = now() + coalesce($8::bigint, 0) * interval '1 millisecond',
                    settled_at = CASE WHEN $7 <> 'pending' THEN now() END
             WHERE shard = $1 AND tenant = $2 AND endpoint = $3 AND epoch = $4 AND position = $5 AND claim = $6
             RETURNING attempts
         )
         INSERT INTO webhook_attempt (shard, tenant, endpoint, epoch, position, number, at, milliseconds, status, outcome)
         SELECT $1, $2, $3, $4, $5, attempts, now(), $9, $10, $11 FROM settled",
        at.shard,
        at.tenant,
        at.endpoint,
        at.epoch,
        at.position,
        claim,
        state,
        wait_ms,
        attempted.milliseconds,
        attempted.status,
        attempted.outcome
    )
    .execute(&mut *tx)
    .await?;
    if attempted.fate == Fate::Gone && noted.rows_affected() == 1 {
        sqlx::query!(
            "UPDATE webhook_endpoint SET state = 'disabled', disabled_because = 'gone'
             WHERE shard = $1 AND tenant = $2 AND endpoint = $3 AND state = 'enabled'",
            at.shard,
            at.tenant,
            at.endpoint
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(noted.rows_affected() == 1)
}

/// Gives a delivery back as it was, to be claimed again after a while: no attempt was made.
pub async fn give_back(pool: &PgPool, at: Place, claim: Uuid, seconds: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhook_delivery SET claim = NULL, due_at = now() + $7::bigint * interval '1 second'
         WHERE shard = $1 AND tenant = $2 AND endpoint = $3 AND epoch = $4 AND position = $5 AND claim = $6",
        at.shard,
        at.tenant,
        at.endpoint,
        at.epoch,
        at.position,
        claim,
        seconds
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that are due, up to a bound.
    pub due: i64,
    /// Since when the oldest of them is.
    pub oldest: Option<Instant>,
    /// The database's clock, which dated it.
    pub now: Instant,
}

/// Measures it, no further than 10,000 deliveries per endpoint.
pub async fn backlog(pool: &PgPool) -> Result<Backlog, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(d.due), 0)::bigint AS "due!", min(d.oldest) AS oldest, now() AS "now!"
           FROM webhook_endpoint w
           CROSS JOIN LATERAL (
               SELECT count(*) AS due, min(due_at) AS oldest FROM (
                   SELECT due_at FROM webhook_delivery d
                   WHERE d.shard = w.shard AND d.tenant = w.tenant AND d.endpoint = w.endpoint AND d.state = 'pending' AND d.due_at <= now()
                   ORDER BY due_at LIMIT 10000
               ) portion
           ) d
           WHERE w.state = 'enabled'"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Backlog { due: row.due, oldest: row.oldest, now: row.now })
}

/// Deletes a portion of what is older than it is kept for, and of what deleted endpoints left; answers whether there was any.
pub async fn clean(pool: &PgPool, kept_days: i32, portion: i64) -> Result<bool, sqlx::Error> {
    let old = sqlx::query!(
        "DELETE FROM webhook_delivery d USING (
             SELECT o.shard, o.tenant, o.endpoint, o.epoch, o.position FROM shard
             JOIN webhook_delivery o ON o.shard = shard.shard AND o.settled_at < now() - make_interval(days => $1) LIMIT $2
         ) old
         WHERE d.shard = old.shard AND d.tenant = old.tenant AND d.endpoint = old.endpoint AND d.epoch = old.epoch AND d.position = old.position",
        kept_days,
        portion
    );
    let old = old.execute(pool).await?.rows_affected();
    let orphans = sqlx::query!(
        "DELETE FROM webhook_delivery d USING (
             SELECT o.shard, o.tenant, o.endpoint, o.epoch, o.position FROM webhook_endpoint w
             JOIN webhook_delivery o ON o.shard = w.shard AND o.tenant = w.tenant AND o.endpoint = w.endpoint WHERE w.state = 'deleted' LIMIT $1
         ) old
         WHERE d.shard = old.shard AND d.tenant = old.tenant AND d.endpoint = old.endpoint AND d.epoch = old.epoch AND d.position = old.position",
        portion
    );
    let orphans = orphans.execute(pool).await?.rows_affected();
    let ended = sqlx::query!(
        "DELETE FROM webhook_endpoint w WHERE w.state = 'deleted' AND NOT EXISTS (
             SELECT FROM webhook_delivery d WHERE d.shard = w.shard AND d.tenant = w.tenant AND d.endpoint = w.endpoint)"
    );
    let ended = ended.execute(pool).await?.rows_affected();
    Ok(old + orphans + ended > 0)
}

//! The clock that deletes the bytes of old answers. Key, fingerprint, status and position stay for ever, so a
//! key is still answered: its body is rendered again from the events. What no event could render stays too:
//! refusals, and the outlines of batches.

use super::{lease, ticking};
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

/// How long an answer's bytes are kept.
pub const KEPT: Duration = Duration::from_hours(90 * 24);
const LEASE_SECONDS: i32 = 300;
const TICK: Duration = Duration::from_hours(1);
/// Batches gone through in one short transaction.
const PAGE: i64 = 1_000;

/// The clock of one shard in one process.
#[derive(Debug)]
pub struct AnswerRetention {
    writer: PgPool,
    shard: i16,
    kept: Duration,
    holder: Uuid,
    /// The newest batch gone through. Refusals stay, so without it each tick would read all of them again.
    done: i64,
}

impl AnswerRetention {
    /// Over the writer's pool, since it looks across tenants. `holder` is the process in the lease row.
    pub fn new(writer: PgPool, shard: i16, kept: Duration, holder: Uuid) -> Self {
        Self { writer, shard, kept, holder, done: 0 }
    }

    /// Ticks until the process ends. What fails is tried again at the next tick.
    pub async fn run(mut self) {
        let mut beat = ticking::every(TICK);
        loop {
            beat.tick().await;
            match self.tick().await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "the bytes of old answers were deleted"),
                Err(error) => tracing::warn!(%error, "the bytes of old answers could not be deleted"),
            }
        }
    }

    /// Deletes what is old now, if this process holds the lease; answers how many bodies.
    pub async fn tick(&mut self) -> Result<u64, sqlx::Error> {
        let (mut deleted, lease) = (0, format!("answer-retention:{}", self.shard));
        let Some(end) = newest_old_batch(&self.writer, self.shard, self.kept).await? else { return Ok(0) };
        while self.done < end {
            // Renewed page by page: the first pass after a start goes through the whole history.
            if lease::take(&self.writer, &lease, self.holder, LEASE_SECONDS).await?.is_none() {
                return Ok(deleted);
            }
            let to = end.min(self.done + PAGE);
            deleted += delete(&self.writer, self.shard, self.done, to).await?;
            self.done = to;
        }
        Ok(deleted)
    }
}

async fn newest_old_batch(pool: &PgPool, shard: i16, kept: Duration) -> Result<Option<i64>, sqlx::Error> {
    let seconds = i32::try_from(kept.as_secs()).unwrap_or(i32::MAX);
    sqlx::query_scalar!(
        "SELECT seq FROM batch WHERE shard = $1 AND recorded_at <= clock_timestamp() - make_interval(secs => $2)
         ORDER BY recorded_at DESC, seq DESC LIMIT 1",
        shard,
        f64::from(seconds)
    )
    .fetch_optional(pool)
    .await
}

async fn delete(pool: &PgPool, shard: i16, from: i64, to: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM request_body b USING request r
         WHERE b.shard = $1 AND b.seq > $2 AND b.seq <= $3 AND NOT b.outline
           AND r.shard = b.shard AND r.tenant = b.tenant AND r.principal = b.principal AND r.key = b.key AND r.code IS NULL",
        shard,
        from,
        to
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

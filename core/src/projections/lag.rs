//! How far the projections are behind the log, asked of the database and not of those who fold.

use crate::kernel::Instant;
use sqlx::PgPool;
use std::time::Duration;

/// One projection's shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The projection.
    pub projection: String,
    /// The shard.
    pub shard: i16,
    /// Recorded and not folded.
    pub events: i64,
    /// How long ago the oldest of these was recorded; nothing when there is none.
    pub age: Duration,
    /// It stands still until it is rebuilt.
    pub is_parked: bool,
}

/// Every projection that has begun, in every shard.
pub async fn measure(pool: &PgPool) -> Result<Vec<Lag>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT p.name, p.shard, p.parked_at IS NOT NULL AS "is_parked!", greatest(newest.last_position - p.position, 0) AS "events!",
                  oldest.recorded_at AS "oldest?", clock_timestamp() AS "now!"
           FROM projection p
           CROSS JOIN LATERAL (SELECT last_position FROM batch b WHERE b.shard = p.shard ORDER BY seq DESC LIMIT 1) newest
           LEFT JOIN LATERAL (
               SELECT recorded_at FROM batch b WHERE b.shard = p.shard AND b.last_position > p.position ORDER BY last_position, seq LIMIT 1
           ) oldest ON true
           ORDER BY p.shard, p.name"#
    )
    .fetch_all(pool)
    .await?;
    let age = |oldest: Option<Instant>, now: Instant| oldest.and_then(|oldest| (now - oldest).to_std().ok());
    let lags = rows.into_iter().map(|row| Lag {
        projection: row.name,
        shard: row.shard,
        events: row.events,
        age: age(row.oldest, row.now).unwrap_or_default(),
        is_parked: row.is_parked,
    });
    Ok(lags.collect())
}

//! The shard's mutex and its newest batch, read under it.

use super::chain::{self, Tip};
use crate::kernel::Instant;
use sqlx::{Connection, PgConnection, PgExecutor, Postgres, Transaction};

/// Where a shard's history ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest batch; 0 before the first.
    pub seq: i64,
    /// Its epoch.
    pub epoch: i32,
    /// Position of the newest event; 0 before the first.
    pub last_position: i64,
    /// The chain's value.
    pub tip: Tip,
}

impl Head {
    /// Before the first batch.
    pub fn genesis(shard: i16) -> Self {
        Self { seq: 0, epoch: 1, last_position: 0, tip: chain::genesis(shard) }
    }
}

/// What is true under the lock.
#[derive(Debug)]
pub struct Locked {
    /// The newest batch.
    pub head: Head,
    /// The instant of the batch in the making; never before the newest one's.
    pub now: Instant,
    /// Whether the shard is halted.
    pub is_halted: bool,
    /// The tip that stands at the sequence number asked for, if there is such a batch.
    pub tip_at: Option<Tip>,
}

/// Every shard there is, for who serves them all.
pub async fn shards(executor: impl PgExecutor<'_>) -> Result<Vec<i16>, sqlx::Error> {
    sqlx::query_scalar!("SELECT shard FROM shard ORDER BY shard").fetch_all(executor).await
}

/// Begins a transaction and takes the shard's mutex, in one way to Postgres and back.
///
/// What is read under it is read by another statement: one that locks and reads at once reads with the snapshot from
/// before it waited.
pub async fn begin(connection: &mut PgConnection, shard: i16) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    connection.begin_with(format!("BEGIN; SELECT FROM shard WHERE shard = {shard} FOR UPDATE")).await
}

/// Reads the newest batch, the clock, the brake, and the tip at `seq`.
pub async fn read(tx: &mut PgConnection, shard: i16, seq: i64) -> Result<Locked, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT newest.seq AS "seq?", newest.epoch AS "epoch?", newest.last_position AS "last_position?", newest.tip AS "tip?",
                  greatest(clock_timestamp(), newest.recorded_at) AS "now!",
                  EXISTS (SELECT FROM halt WHERE halt.shard = $1) AS "is_halted!",
                  (SELECT tip FROM batch WHERE batch.shard = $1 AND batch.seq = $2) AS tip_at
           FROM (SELECT) one
           LEFT JOIN LATERAL (
               SELECT seq, epoch, last_position, tip, recorded_at FROM batch WHERE batch.shard = $1 ORDER BY seq DESC LIMIT 1
           ) newest ON true"#,
        shard,
        seq
    )
    .fetch_one(tx)
    .await?;
    let head = match (row.seq, row.epoch, row.last_position, row.tip) {
        (Some(seq), Some(epoch), Some(last_position), Some(tip)) => {
            Head { seq, epoch, last_position, tip: as_tip(&tip) }
        }
        _ => Head::genesis(shard),
    };
    Ok(Locked { head, now: row.now, is_halted: row.is_halted, tip_at: row.tip_at.as_deref().map(as_tip) })
}

/// The clock, for a batch that is decided while the one before it holds the lock; never before that one's instant.
pub async fn clock(connection: &mut PgConnection, not_before: Instant) -> Result<Instant, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT greatest(clock_timestamp(), $1) AS "now!""#, not_before).fetch_one(connection).await
}

/// Pulls the brake: no writes until an operator recovers the shard.
pub async fn halt(tx: &mut PgConnection, shard: i16, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO halt (shard, reason, since) VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING",
        shard,
        reason
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Lifts the brake; answers why it was pulled.
pub async fn lift(tx: &mut PgConnection, shard: i16) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("DELETE FROM halt WHERE shard = $1 RETURNING reason", shard).fetch_optional(tx).await
}

/// The durability that the writer insists on; answers the setting that breaks it.
pub async fn unsafe_setting(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT name || ' = ' || setting AS "setting!" FROM pg_settings
           WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'off' ORDER BY name LIMIT 1"#
    )
    .fetch_optional(connection)
    .await
}

/// A stored tip always has 32 bytes: the table checks it.
pub(super) fn as_tip(bytes: &[u8]) -> Tip {
    let mut tip = [0; 32];
    tip.copy_from_slice(bytes);
    tip
}

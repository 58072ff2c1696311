//! What terminals said of themselves last.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::Of;

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What runs on the device.
    pub software: String,
    /// The number of its last message.
    pub last_seq: i64,
    /// Its clock less ours, in milliseconds.
    pub skew_ms: i64,
    /// Whether somebody opened it.
    pub tampered: bool,
    /// Payments that it took without a network.
    pub offline_count: i32,
    /// And how much they are, as the device writes it.
    pub offline_amount: Option<String>,
}

/// Keeps it in place of the one before; answers whether that one said already that somebody opened the device.
pub async fn put(tx: &mut PgConnection, of: Of, terminal: Uuid, beat: &Heartbeat) -> Result<bool, sqlx::Error> {
    let before = sqlx::query_scalar!(
        "SELECT tampered FROM terminal_heartbeat WHERE shard = $1 AND tenant = $2 AND terminal = $3 FOR NO KEY UPDATE",
        of.shard,
        of.tenant,
        terminal
    );
    let was_tampered = before.fetch_optional(&mut *tx).await?.unwrap_or_default();
    sqlx::query!(
        "INSERT INTO terminal_heartbeat (shard, tenant, terminal, received_at, software, last_seq, skew_ms, tampered, offline_count, offline_amount)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (shard, tenant, terminal) DO UPDATE SET received_at = excluded.received_at, software = excluded.software,
             last_seq = excluded.last_seq, skew_ms = excluded.skew_ms, tampered = excluded.tampered,
             offline_count = excluded.offline_count, offline_amount = excluded.offline_amount",
        of.shard,
        of.tenant,
        terminal,
        beat.received_at,
        beat.software,
        beat.last_seq,
        beat.skew_ms,
        beat.tampered,
        beat.offline_count,
        beat.offline_amount
    )
    .execute(tx)
    .await?;
    Ok(was_tampered)
}

/// The last one. Role: reader.
pub async fn find(tx: &mut PgConnection, of: Of, terminal: Uuid) -> Result<Option<Heartbeat>, sqlx::Error> {
    sqlx::query_as!(
        Heartbeat,
        "SELECT received_at, software, last_seq, skew_ms, tampered, offline_count, offline_amount FROM terminal_heartbeat
         WHERE shard = $1 AND tenant = $2 AND terminal = $3",
        of.shard,
        of.tenant,
        terminal
    )
    .fetch_optional(tx)
    .await
}

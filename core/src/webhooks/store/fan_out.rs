//! From the log to deliveries. Role: webhooks.

use sqlx::PgPool;

use crate::event_store::head::Head;
use crate::event_store::outbox::Range;

/// Where a shard's log has been turned into deliveries; at its beginning before the first time.
pub async fn checkpoint(pool: &PgPool, shard: i16) -> Result<Head, sqlx::Error> {
    let row = sqlx::query!("SELECT epoch, position, seq, tip FROM webhook_checkpoint WHERE shard = $1", shard);
    let head = row.fetch_optional(pool).await?.map(|row| Head {
        seq: row.seq,
        epoch: row.epoch,
        last_position: row.position,
        // A stored tip always has 32 bytes: the table checks it.
        tip: row.tip.try_into().unwrap_or_default(),
    });
    Ok(head.unwrap_or_else(|| Head::genesis(shard)))
}

/// Moves the checkpoint. `false` when a process with a newer fence moved it: then somebody else collects.
pub async fn advance(pool: &PgPool, shard: i16, to: &Head, fence: i64) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "INSERT INTO webhook_checkpoint AS c (shard, epoch, position, seq, tip, fence) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (shard) DO UPDATE SET
             epoch = excluded.epoch, position = excluded.position, seq = excluded.seq, tip = excluded.tip, fence = excluded.fence
         WHERE c.fence <= excluded.fence",
        shard,
        to.epoch,
        to.last_position,
        to.seq,
        &to.tip,
        fence
    )
    .execute(pool)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Makes the deliveries of a range, for all tenants in one statement; answers how many there are. Doing it twice is harmless.
pub async fn collect(pool: &PgPool, shard: i16, range: &Range) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO webhook_delivery (shard, tenant, endpoint, epoch, position, kind, state, due_at)
         SELECT e.shard, e.tenant, w.endpoint, $2, e.position, e.kind, 'pending', now()
         FROM event e
         JOIN webhook_endpoint w ON w.shard = e.shard AND w.tenant = e.tenant AND w.state = 'enabled' AND w.from_position < e.position
             AND w.events && ARRAY[e.kind, split_part(e.kind, '.', 1) || '.*', '*']
         WHERE e.shard = $1 AND e.position BETWEEN $3 AND $4
         ON CONFLICT DO NOTHING",
        shard,
        range.epoch,
        range.from,
        range.to
    )
    .execute(pool)
    .await?;
    Ok(inserted.rows_affected())
}

//! The SQL of subscriptions.

use super::error::SubscriptionError;
use super::subscription::{Length, Subscription};
use crate::event_store::chain::{self, Tip};
use crate::event_store::head::Head;
use crate::kernel::Instant;
use sqlx::{Connection, PgConnection, PgPool};

/// A subscription as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What was declared.
    pub subscription: Subscription,
    /// When.
    pub created_at: Instant,
    /// It is to be taken down.
    pub is_removed: bool,
}

/// Declares a subscription to what will be recorded from now on, or to everything. Role: operator.
pub async fn create(
    session: &mut PgConnection,
    subscription: &Subscription,
    from_beginning: bool,
) -> Result<(), SubscriptionError> {
    let mut tx = session.begin().await?;
    sqlx::query!(
        "INSERT INTO subscription (name, tenant, kinds, length, created_at) VALUES ($1, $2, $3, $4, clock_timestamp())",
        subscription.name.as_str(),
        subscription.tenant,
        subscription.kinds.as_str(),
        subscription.length.get()
    )
    .execute(&mut *tx)
    .await
    .map_err(explain)?;
    // A shard without a row is read from its beginning, as one that is made later must be.
    sqlx::query!(
        "INSERT INTO subscription_checkpoint (shard, name, epoch, position, seq, fence, tip)
         SELECT s.shard, $1, b.epoch, b.last_position, b.seq, 0, b.tip FROM shard s
         CROSS JOIN LATERAL (SELECT epoch, last_position, seq, tip FROM batch WHERE batch.shard = s.shard ORDER BY seq DESC LIMIT 1) b
         WHERE NOT $2",
        subscription.name.as_str(),
        from_beginning
    )
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

/// Asks for a subscription to be taken down. Role: operator.
pub async fn remove(session: &mut PgConnection, name: &str) -> Result<(), SubscriptionError> {
    let removed = sqlx::query!(
        "UPDATE subscription SET removed_at = coalesce(removed_at, clock_timestamp()) WHERE name = $1",
        name
    )
    .execute(session)
    .await?;
    if removed.rows_affected() == 1 { Ok(()) } else { Err(SubscriptionError::Unknown) }
}

/// Every subscription.
pub async fn list(session: &mut PgConnection) -> Result<Vec<Stored>, sqlx::Error> {
    let rows =
        sqlx::query!("SELECT name, tenant, kinds, length, created_at, removed_at FROM subscription ORDER BY name")
            .fetch_all(session)
            .await?;
    // The table's constraints and this program wrote them, so they can be read.
    let stored = rows.into_iter().filter_map(|row| {
        let subscription = Subscription {
            name: row.name.parse().ok()?,
            tenant: row.tenant,
            kinds: row.kinds.parse().ok()?,
            length: Length::try_from(row.length).ok()?,
        };
        Some(Stored { subscription, created_at: row.created_at, is_removed: row.removed_at.is_some() })
    });
    Ok(stored.collect())
}

/// One of them; there are few.
pub async fn find(pool: &PgPool, name: &str) -> Result<Option<Stored>, sqlx::Error> {
    let all = list(&mut *pool.acquire().await?).await?;
    Ok(all.into_iter().find(|stored| stored.subscription.name.as_str() == name))
}

/// Ends a subscription whose queue is gone. Role: integrators.
pub async fn forget(pool: &PgPool, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM subscription WHERE name = $1 AND removed_at IS NOT NULL", name).execute(pool).await?;
    Ok(())
}

/// Where a subscription stands in a shard. Role: integrators.
pub async fn checkpoint(pool: &PgPool, name: &str, shard: i16) -> Result<Head, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT epoch, position, seq, tip FROM subscription_checkpoint WHERE shard = $1 AND name = $2",
        shard,
        name
    );
    let head = row.fetch_optional(pool).await?.map(|row| Head {
        seq: row.seq,
        epoch: row.epoch,
        last_position: row.position,
        // A stored tip always has 32 bytes: the table checks it.
        tip: Tip::try_from(row.tip.as_slice()).unwrap_or_else(|_| chain::genesis(shard)),
    });
    Ok(head.unwrap_or_else(|| Head::genesis(shard)))
}

/// Moves the checkpoint. `false` when a process with a newer fence did, or when there is no such subscription any more.
pub async fn advance(pool: &PgPool, name: &str, shard: i16, to: &Head, fence: i64) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "INSERT INTO subscription_checkpoint AS c (shard, name, epoch, position, seq, tip, fence)
         SELECT $1, name, $3, $4, $5, $6, $7 FROM subscription WHERE name = $2
         ON CONFLICT (shard, name) DO UPDATE SET
             epoch = excluded.epoch, position = excluded.position, seq = excluded.seq, tip = excluded.tip, fence = excluded.fence
         WHERE c.fence <= excluded.fence",
        shard,
        name,
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

/// A tenant's id is a foreign key, and the name the primary one.
fn explain(error: sqlx::Error) -> SubscriptionError {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("subscription_pkey") => SubscriptionError::NameTaken,
        Some("subscription_tenant_fkey") => SubscriptionError::UnknownTenant,
        _ => SubscriptionError::Database(error),
    }
}

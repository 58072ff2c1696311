//! Folding for ever: what a worker hosts.

use super::{ALL, Projection, Projector, Standing};
use crate::event_store::{fresh, lease};
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

/// How soon a new event is looked for when nobody tells of it.
const POLL: Duration = Duration::from_millis(200);
/// A process that is gone is replaced after this long.
const LEASE_SECONDS: i32 = 10;

/// Drives projections over shards until it is dropped. Several processes may do so: a lease per projection and
/// shard lets one of them work, and without it nothing could go wrong but work done in vain.
pub async fn run(pool: PgPool, projections: &[&dyn Projection], shards: &[i16]) {
    let holder = fresh::new_id();
    let mut projector = Projector::new(pool);
    let mut tick = tokio::time::interval(POLL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for shard in shards {
            for projection in projections {
                if let Err(error) = drive(&mut projector, *projection, *shard, holder).await {
                    tracing::warn!(%error, projection = projection.name(), shard, "the projection could not be caught up");
                }
            }
        }
    }
}

/// All of them, over every shard that there is.
pub async fn run_all(pool: PgPool) -> Result<(), sqlx::Error> {
    let shards = crate::ledger::store::shards::all(&pool).await?;
    run(pool, &ALL, &shards).await;
    Ok(())
}

/// Catches one up if this process holds its lease; `None` if another does.
pub async fn drive(
    projector: &mut Projector,
    projection: &dyn Projection,
    shard: i16,
    holder: Uuid,
) -> Result<Option<Standing>, sqlx::Error> {
    let name = format!("projection:{}:{shard}", projection.name());
    if lease::take(projector.pool(), &name, holder, LEASE_SECONDS).await?.is_none() {
        return Ok(None);
    }
    projector.catch_up(projection, shard, None).await.map(Some)
}

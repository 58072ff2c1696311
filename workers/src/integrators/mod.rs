//! Integrators' events: whole events, as CloudEvents, in a queue per subscription.
//!
//! Each subscription has a publisher of its own ([`publisher`]), with a lease, a checkpoint per shard, an exchange and a
//! queue. So whoever is slow, full or gone stands alone. Events come in the order of their shard, at least once: after
//! anything that fails, publishing begins again at the checkpoint.
//!
//! A queue that is full is told ([`WorkerMetrics::subscription_full`]) and waited for; its events stay in the log, and
//! who does not want to wait for the queue reads `GET /v1/events`.
//!
//! Deliberately absent: dropping events, publishing for several subscriptions at once.

pub mod cloud_event;
mod publisher;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;
use uuid::Uuid;
use vintem_core::subscriptions::{SubscriptionName, store};
use vintem_core::telemetry::WorkerMetrics;

use crate::rabbitmq::Broker;
use publisher::Publisher;

/// How soon a new subscription is noticed.
const GLANCE: Duration = Duration::from_secs(2);

/// Serves every subscription until the task is ended. `holder` is the process in the lease rows.
pub async fn run(pool: PgPool, broker: Broker, metrics: Arc<WorkerMetrics>, holder: Uuid) {
    let mut served: BTreeMap<SubscriptionName, AbortHandle> = BTreeMap::new();
    let mut publishers = JoinSet::new();
    loop {
        served.retain(|_, publisher| !publisher.is_finished());
        while publishers.try_join_next().is_some() {}
        match subscriptions(&pool).await {
            Ok(subscriptions) => {
                for stored in subscriptions {
                    let publisher = || {
                        let parts = (pool.clone(), broker.clone(), metrics.clone());
                        publishers.spawn(Publisher::new(parts, stored.subscription.name.clone(), holder).run())
                    };
                    served.entry(stored.subscription.name.clone()).or_insert_with(publisher);
                }
            }
            Err(error) => tracing::warn!(%error, "the subscriptions cannot be read"),
        }
        sleep(GLANCE).await;
    }
}

async fn subscriptions(pool: &PgPool) -> Result<Vec<store::Stored>, sqlx::Error> {
    store::list(&mut *pool.acquire().await?).await
}

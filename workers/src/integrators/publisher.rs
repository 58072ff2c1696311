//! The publisher of one subscription: as the relay is of one shard, with events in the place of ranges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use vintem_core::event_store::head::{self, Head};
use vintem_core::event_store::{feed, lease, outbox};
use vintem_core::subscriptions::{Subscription, SubscriptionName, store};
use vintem_core::telemetry::WorkerMetrics;

use super::cloud_event;
use crate::rabbitmq::{Broker, BrokerError, Outgoing, Session, fate, topology};

/// How soon a new event is looked for.
const POLL: Duration = Duration::from_millis(100);
/// Positions read, and so events published, at once.
const PAGE: i64 = 500;
/// A publisher that is gone is replaced after this long.
const LEASE_SECONDS: i32 = 10;
/// The lease is renewed after this long, and it is looked whether the subscription is still wanted.
const RENEWAL: Duration = Duration::from_secs(3);
/// How soon a full queue or somebody else's lease is looked at again, and lag is measured.
const GLANCE: Duration = Duration::from_secs(1);
/// Pauses after failures grow from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What publishers share.
pub type Parts = (PgPool, Broker, Arc<WorkerMetrics>);

/// The publisher of one subscription, in one process.
pub struct Publisher {
    pool: PgPool,
    broker: Broker,
    metrics: Arc<WorkerMetrics>,
    name: SubscriptionName,
    holder: Uuid,
}

/// Why a publisher began anew.
#[derive(Debug, thiserror::Error)]
enum PublisherError {
    /// The broker, or the way to it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The database, or the way to it.
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    /// Another process moved the checkpoint.
    #[error("another process serves this subscription")]
    Superseded,
}

/// What a publisher that holds the lease works with.
struct Turn {
    session: Session,
    fence: i64,
    /// Read under the lease: the name may have been given to another one meanwhile.
    subscription: Subscription,
    /// Where each shard stands.
    checkpoints: BTreeMap<i16, Head>,
    /// So many events the queue surely still takes: it only becomes emptier by others.
    room: i64,
    renew_at: Instant,
    measure_at: Instant,
}

impl Publisher {
    /// Over a pool of the role `vintem_integrators`.
    pub fn new((pool, broker, metrics): Parts, name: SubscriptionName, holder: Uuid) -> Self {
        Self { pool, broker, metrics, name, holder }
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Publishes until the subscription is gone or the task is ended. What fails is tried again.
    pub async fn run(self) {
        let mut pause = PAUSE.0;
        loop {
            let began = Instant::now();
            match self.hold_and_publish().await {
                Ok(true) => {}
                Ok(false) => return self.metrics.subscription_gone(self.name()),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, subscription = self.name(), "the publisher begins anew");
                    pause = if began.elapsed() > PAUSE.1 * 2 { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
                    sleep(pause).await;
                }
            }
        }
    }

    /// Waits for the lease, then publishes until something fails or the broker's user has a successor. `false` when
    /// the subscription is no more.
    async fn hold_and_publish(&self) -> Result<bool, PublisherError> {
        let fence = loop {
            if let Some(fence) = self.lease().await? {
                break fence;
            }
            sleep(GLANCE).await;
        };
        let Some(store::Stored { subscription, .. }) = store::find(&self.pool, self.name()).await? else {
            return Ok(false);
        };
        let mut checkpoints = BTreeMap::new();
        for shard in head::shards(&self.pool).await? {
            checkpoints.insert(shard, store::checkpoint(&self.pool, self.name(), shard).await?);
        }
        let session = self.broker.connect().await?;
        self.metrics.connections("integrators", 1);
        let now = Instant::now();
        let mut turn = Turn { session, fence, subscription, checkpoints, room: 0, renew_at: now, measure_at: now };
        let result = self.publish(&mut turn).await;
        turn.session.close().await;
        self.metrics.connections("integrators", -1);
        result
    }

    async fn lease(&self) -> Result<Option<i64>, sqlx::Error> {
        lease::take(&self.pool, &format!("subscription:{}", self.name()), self.holder, LEASE_SECONDS).await
    }

    async fn publish(&self, turn: &mut Turn) -> Result<bool, PublisherError> {
        topology::declare_subscription(&turn.session, self.name(), turn.subscription.length.get()).await?;
        turn.session.confirming().await?;
        while turn.session.is_current() {
            if Instant::now() >= turn.renew_at {
                // A lease that somebody else took and let go has another fence.
                if self.lease().await? != Some(turn.fence) {
                    return Err(PublisherError::Superseded);
                }
                match store::find(&self.pool, self.name()).await? {
                    Some(stored) if stored.is_removed => {
                        topology::delete_subscription(&turn.session, self.name()).await?;
                        store::forget(&self.pool, self.name()).await?;
                        tracing::info!(subscription = self.name(), "the subscription is gone");
                        return Ok(false);
                    }
                    Some(stored) if stored.subscription == turn.subscription => {}
                    Some(_) => return Ok(true),
                    None => return Ok(false),
                }
                turn.renew_at = Instant::now() + RENEWAL;
            }
            // Before anything that may take its time or fail: whoever is behind must be seen to be.
            self.measure(turn).await?;
            if turn.session.is_blocked() {
                sleep(GLANCE).await;
                continue;
            }
            match self.round(turn).await {
                Ok(pause) => sleep(pause).await,
                Err(PublisherError::Broker(error @ BrokerError::Blocked)) => {
                    tracing::warn!(%error, subscription = self.name(), "the publisher waits");
                    // How much of it arrives when the broker takes messages again is not known, nor is then what is free.
                    turn.room = 0;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Publishes the next page of every shard; answers how long to wait before the next round.
    async fn round(&self, turn: &mut Turn) -> Result<Duration, PublisherError> {
        let mut pause = POLL;
        for shard in turn.checkpoints.keys().copied().collect::<Vec<_>>() {
            if turn.room == 0 {
                let length = turn.subscription.length;
                turn.room = length.room(topology::waiting(&turn.session, self.name(), length.get()).await?);
            }
            let is_full = turn.room == 0;
            if self.metrics.subscription_full(self.name(), is_full) {
                tracing::error!(subscription = self.name(), "the queue is full; it is skipped until somebody reads it");
            }
            if is_full {
                return Ok(GLANCE);
            }
            if self.page(turn, shard).await? {
                pause = Duration::ZERO;
            }
        }
        Ok(pause)
    }

    /// Publishes the next page of a shard; `false` when there is none.
    async fn page(&self, turn: &mut Turn, shard: i16) -> Result<bool, PublisherError> {
        let Some(checkpoint) = turn.checkpoints.get(&shard).copied() else { return Ok(false) };
        let limit = PAGE.min(turn.room);
        let reached = match feed::next(&self.pool, shard, &checkpoint, turn.subscription.tenant, limit).await? {
            feed::Next::Nothing => return Ok(false),
            feed::Next::Page(events, reached) => {
                let wanted = events.iter().filter(|event| turn.subscription.kinds.contain(&event.kind));
                let messages: Vec<Outgoing> = wanted.filter_map(|event| cloud_event::message(shard, event)).collect();
                turn.room -= i64::try_from(messages.len()).unwrap_or(limit);
                self.send(&turn.session, messages).await?;
                reached
            }
            feed::Next::Forked(recovery) => {
                let (seq, subscription) = (checkpoint.seq, self.name());
                tracing::error!(shard, seq, subscription, "the log lacks the batch of the last events published");
                // Without a recovery, history is still in doubt; with one, what its epoch recorded is new.
                let Some(recovery) = recovery else {
                    sleep(GLANCE).await;
                    return Ok(false);
                };
                recovery
            }
        };
        if !store::advance(&self.pool, self.name(), shard, &reached, turn.fence).await? {
            return Err(PublisherError::Superseded);
        }
        turn.checkpoints.insert(shard, reached);
        Ok(true)
    }

    async fn send(&self, session: &Session, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        if messages.is_empty() {
            return Ok(());
        }
        let count = messages.len();
        let result = session.publish(&topology::events_exchange(self.name()), messages).await;
        self.metrics.subscription_messages(self.name(), fate(&result), count);
        result
    }

    async fn measure(&self, turn: &mut Turn) -> Result<(), sqlx::Error> {
        if Instant::now() < turn.measure_at {
            return Ok(());
        }
        turn.measure_at = Instant::now() + GLANCE;
        for (shard, checkpoint) in &turn.checkpoints {
            let lag = outbox::lag(&self.pool, *shard, checkpoint).await?;
            let age = lag.oldest.and_then(|oldest| (lag.now - oldest).to_std().ok()).unwrap_or_default();
            self.metrics.subscription_lag(self.name(), *shard, lag.events, age);
        }
        Ok(())
    }
}

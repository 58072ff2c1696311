//! From the log to deliveries, one process per shard.
//!
//! In rounds, as the relay: read what follows the checkpoint, make the deliveries of it, then move the checkpoint with
//! the lease's fence. Whatever dies in between, the same deliveries are made again, which changes nothing.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use vintem_core::event_store::head::Head;
use vintem_core::event_store::{lease, outbox};
use vintem_core::telemetry::WorkerMetrics;
use vintem_core::webhooks::store::fan_out;

/// How soon a new batch is looked for.
const POLL: Duration = Duration::from_millis(200);
/// A process that is gone is replaced after this long.
const LEASE_SECONDS: i32 = 10;
/// The lease is renewed after this long.
const RENEWAL: Duration = Duration::from_secs(3);
/// How soon somebody else's lease is looked at again, and lag is measured.
const GLANCE: Duration = Duration::from_secs(1);

/// The collector of one shard, in one process.
pub struct FanOut {
    pool: PgPool,
    metrics: Arc<WorkerMetrics>,
    shard: i16,
    holder: Uuid,
}

/// Why a collector began anew.
#[derive(Debug, thiserror::Error)]
enum FanOutError {
    /// The database, or the way to it.
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    /// Another process moved the checkpoint.
    #[error("another process collects in this shard")]
    Superseded,
}

/// What a collector that holds the lease works with.
struct Turn {
    checkpoint: Head,
    fence: i64,
    renew_at: Instant,
    measure_at: Instant,
}

impl FanOut {
    /// Over a pool of the role `vintem_webhooks`; `holder` is the process in the lease row.
    pub fn new(pool: PgPool, metrics: Arc<WorkerMetrics>, shard: i16, holder: Uuid) -> Self {
        Self { pool, metrics, shard, holder }
    }

    /// Collects until the task is ended. What fails is tried again.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.hold_and_collect().await {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, shard = self.shard, "collecting for webhooks begins anew");
            }
            sleep(GLANCE).await;
        }
    }

    async fn hold_and_collect(&self) -> Result<(), FanOutError> {
        let Some(fence) = self.lease().await? else { return Ok(()) };
        let now = Instant::now();
        let checkpoint = fan_out::checkpoint(&self.pool, self.shard).await?;
        let mut turn = Turn { checkpoint, fence, renew_at: now + RENEWAL, measure_at: now };
        loop {
            self.renew(&mut turn).await?;
            if !self.round(&mut turn).await? {
                sleep(POLL).await;
            }
            self.measure(&mut turn).await?;
        }
    }

    async fn lease(&self) -> Result<Option<i64>, sqlx::Error> {
        lease::take(&self.pool, &lease_name(self.shard), self.holder, LEASE_SECONDS).await
    }

    async fn renew(&self, turn: &mut Turn) -> Result<(), FanOutError> {
        if Instant::now() >= turn.renew_at {
            // A lease that somebody else took and let go has another fence.
            if self.lease().await? != Some(turn.fence) {
                return Err(FanOutError::Superseded);
            }
            turn.renew_at = Instant::now() + RENEWAL;
        }
        Ok(())
    }

    /// Makes the deliveries of what is new; `false` when nothing is.
    async fn round(&self, turn: &mut Turn) -> Result<bool, FanOutError> {
        let reached = match outbox::next(&self.pool, self.shard, &turn.checkpoint).await? {
            outbox::Next::Nothing => return Ok(false),
            outbox::Next::Ranges(ranges, reached) => {
                for range in &ranges {
                    self.renew(turn).await?;
                    let collected = fan_out::collect(&self.pool, self.shard, range).await?;
                    self.metrics.webhooks.collected(self.shard, collected);
                }
                reached
            }
            outbox::Next::Forked(recovery) => {
                tracing::error!(
                    shard = self.shard,
                    seq = turn.checkpoint.seq,
                    "the log lacks the batch of the webhooks' checkpoint"
                );
                let Some(recovery) = recovery else { return Ok(false) };
                recovery
            }
        };
        if !fan_out::advance(&self.pool, self.shard, &reached, turn.fence).await? {
            return Err(FanOutError::Superseded);
        }
        turn.checkpoint = reached;
        Ok(true)
    }

    async fn measure(&self, turn: &mut Turn) -> Result<(), sqlx::Error> {
        if Instant::now() < turn.measure_at {
            return Ok(());
        }
        turn.measure_at = Instant::now() + GLANCE;
        let lag = outbox::lag(&self.pool, self.shard, &turn.checkpoint).await?;
        let age = lag.oldest.and_then(|oldest| (lag.now - oldest).to_std().ok()).unwrap_or_default();
        self.metrics.webhooks.lag(self.shard, lag.events, age);
        Ok(())
    }
}

fn lease_name(shard: i16) -> String {
    format!("webhooks:{shard}")
}

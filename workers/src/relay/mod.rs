//! The relay: tells the workers which positions of the log are new.
//!
//! One process relays a shard, by lease. In rounds it reads the batches after its checkpoint, joins them into ranges
//! ([`range`]), publishes these to the shard's exchange, waits until the broker has confirmed every one, and only then
//! moves the checkpoint, with the lease's fence. So whatever dies in between, ranges are published again and none is
//! left out: at least once, in order, without a gap.
//!
//! A broker that is there and goes on refusing has mostly lost one of the queues: RabbitMQ keeps the name of a young queue
//! that it was killed with, and not the rest. The queues are then made anew, for no message in them is worth anything.
//!
//! Nobody tells the relay of new events: it looks, several times a second. A notification from the append
//! transaction would make commits wait for each other.

pub mod range;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use vintem_core::event_store::head::Head;
use vintem_core::event_store::{lease, outbox};
use vintem_core::telemetry::WorkerMetrics;

use crate::rabbitmq::{Broker, BrokerError, Outgoing, Session, fate, topology};

/// How soon a new batch is looked for.
const POLL: Duration = Duration::from_millis(100);
/// A relay that is gone is replaced after this long.
const LEASE_SECONDS: i32 = 10;
/// The lease is renewed after this long.
const RENEWAL: Duration = Duration::from_secs(3);
/// How soon somebody else's lease is looked at again, and lag is measured.
const GLANCE: Duration = Duration::from_secs(1);
/// So many refusals in a row and the queues are made anew.
const REFUSALS_MAX: u32 = 3;
/// Pauses after failures grow from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// The relay of one shard, in one process.
pub struct Relay {
    pool: PgPool,
    broker: Broker,
    metrics: Arc<WorkerMetrics>,
    shard: i16,
    projections: Vec<&'static str>,
    holder: Uuid,
}

/// Why a relay began anew.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    /// The broker, or the way to it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The database, or the way to it.
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    /// Another process moved the checkpoint.
    #[error("another process relays this shard")]
    Superseded,
}

/// What a relay that holds the lease works with.
struct Turn {
    session: Session,
    checkpoint: Head,
    fence: i64,
    renew_at: Instant,
    measure_at: Instant,
}

impl Relay {
    /// Over a pool of the role `vintem_relay`; `projections` are those whose queues must exist.
    /// `holder` is the process in the lease row.
    pub fn new(
        pool: PgPool,
        broker: Broker,
        metrics: Arc<WorkerMetrics>,
        shard: i16,
        projections: Vec<&'static str>,
        holder: Uuid,
    ) -> Self {
        Self { pool, broker, metrics, shard, projections, holder }
    }

    /// Relays until the task is ended. What fails is tried again.
    pub async fn run(self) {
        let (mut pause, mut refusals) = (PAUSE.0, 0);
        loop {
            let began = Instant::now();
            let result = self.hold_and_relay(refusals >= REFUSALS_MAX).await;
            self.metrics.relay_owner(self.shard, false);
            refusals = if is_refusal(&result) { refusals % REFUSALS_MAX + 1 } else { 0 };
            if let Err(error) = result {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, shard = self.shard, "the relay begins anew");
                pause = if began.elapsed() > PAUSE.1 * 2 { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
                sleep(pause).await;
            }
        }
    }

    /// Waits for the lease, then relays until something fails or the broker's user has a successor; perhaps over new
    /// queues.
    async fn hold_and_relay(&self, anew: bool) -> Result<(), RelayError> {
        let fence = loop {
            match self.lease().await? {
                Some(fence) => break fence,
                None => sleep(GLANCE).await,
            }
        };
        let session = self.broker.connect().await?;
        self.metrics.connections("relay", 1);
        let now = Instant::now();
        let checkpoint = outbox::checkpoint(&self.pool, self.shard).await;
        let result = match checkpoint {
            Ok(checkpoint) => {
                let mut turn = Turn { session, checkpoint, fence, renew_at: now + RENEWAL, measure_at: now };
                let result = self.relay(&mut turn, anew).await;
                turn.session.close().await;
                result
            }
            Err(error) => Err(error.into()),
        };
        self.metrics.connections("relay", -1);
        result
    }

    async fn lease(&self) -> Result<Option<i64>, sqlx::Error> {
        lease::take(&self.pool, &lease_name(self.shard), self.holder, LEASE_SECONDS).await
    }

    async fn relay(&self, turn: &mut Turn, anew: bool) -> Result<(), RelayError> {
        if anew {
            tracing::warn!(shard = self.shard, "messages are refused; the queues of ranges are made anew");
            topology::delete(&turn.session, self.shard, &self.projections).await?;
        }
        topology::declare(&turn.session, self.shard, &self.projections).await?;
        turn.session.confirming().await?;
        self.metrics.relay_owner(self.shard, true);
        tracing::info!(shard = self.shard, fence = turn.fence, position = turn.checkpoint.last_position, "relaying");
        while turn.session.is_current() {
            if Instant::now() >= turn.renew_at {
                // A lease that somebody else took and let go has another fence.
                if self.lease().await? != Some(turn.fence) {
                    return Err(RelayError::Superseded);
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
                Ok(true) => {}
                Ok(false) => sleep(POLL).await,
                Err(RelayError::Broker(error @ BrokerError::Blocked)) => {
                    tracing::warn!(%error, shard = self.shard, "the relay waits");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Publishes what is new; `false` when nothing is.
    async fn round(&self, turn: &mut Turn) -> Result<bool, RelayError> {
        let next = outbox::next(&self.pool, self.shard, &turn.checkpoint).await?;
        self.metrics.relay_forked(self.shard, matches!(next, outbox::Next::Forked(_)));
        let reached = match next {
            outbox::Next::Nothing => return Ok(false),
            outbox::Next::Ranges(ranges, reached) => {
                self.publish(&turn.session, &ranges).await?;
                reached
            }
            outbox::Next::Forked(None) => {
                tracing::error!(
                    shard = self.shard,
                    seq = turn.checkpoint.seq,
                    "the log lacks the relay's batch; vintem recover"
                );
                sleep(GLANCE).await;
                return Ok(false);
            }
            outbox::Next::Forked(Some(recovery)) => {
                tracing::error!(
                    shard = self.shard,
                    seq = turn.checkpoint.seq,
                    epoch = recovery.epoch,
                    "the log lacks the relay's batch; going on where its newest epoch begins"
                );
                recovery
            }
        };
        if !outbox::advance(&self.pool, self.shard, &reached, turn.fence).await? {
            return Err(RelayError::Superseded);
        }
        turn.checkpoint = reached;
        Ok(true)
    }

    async fn publish(&self, session: &Session, ranges: &[outbox::Range]) -> Result<(), BrokerError> {
        if ranges.is_empty() {
            return Ok(());
        }
        let messages: Vec<Outgoing> = ranges.iter().map(|range| range::message(self.shard, range)).collect();
        let result = session.publish(&topology::exchange(self.shard), messages).await;
        self.metrics.relay_messages(self.shard, fate(&result), ranges.len());
        if result.is_ok() {
            let events = ranges.iter().map(|range| range.to - range.from + 1).sum();
            self.metrics.relay_events(self.shard, events);
        }
        result
    }

    async fn measure(&self, turn: &mut Turn) -> Result<(), sqlx::Error> {
        if Instant::now() < turn.measure_at {
            return Ok(());
        }
        turn.measure_at = Instant::now() + GLANCE;
        let lag = outbox::lag(&self.pool, self.shard, &turn.checkpoint).await?;
        let age = lag.oldest.and_then(|oldest| (lag.now - oldest).to_std().ok()).unwrap_or_default();
        self.metrics.relay_lag(self.shard, lag.events, age);
        Ok(())
    }
}

/// Whether the broker was there and took no responsibility for what it was given.
fn is_refusal(result: &Result<(), RelayError>) -> bool {
    matches!(result, Err(RelayError::Broker(BrokerError::Refused | BrokerError::Slow { .. })))
}

fn lease_name(shard: i16) -> String {
    format!("relay:{shard}")
}

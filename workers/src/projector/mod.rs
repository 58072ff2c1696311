//! The projector: works off the ranges of one projection's shard.
//!
//! A message says only up to where the log is worth reading; its [`Feed`] reads from its own checkpoint on, so a range
//! that is covered already costs one look, and one that begins later than it should has its gap read from the table.
//! Messages that wait together are worked off together, up to the highest. They are acknowledged after the feed has
//! committed; what was redelivered, reordered or doubled is covered.
//!
//! Lost messages are made good without anybody noticing them: after each (new) subscription, and when nothing has come
//! for a while, everything recorded is caught up with. The broker away, or the queue broken, is no reason to
//! stand still: each attempt to consume catches up once.
//!
//! Between two folds there is a pause: what comes meanwhile is folded at once, for a page of many events costs little more
//! than one of few. While the ledger is in a rush the pause is long: money first, then the view of it.
//!
//! An event that cannot be folded does not come back for ever: after some attempts the feed parks its shard, which is
//! told here; messages then go on being acknowledged, and the other projections go on.

pub mod lag;
mod view;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vintem_core::projections::ALL;
use vintem_core::telemetry::WorkerMetrics;

use crate::rabbitmq::{Broker, BrokerError, Delivery, Session, Subscription, topology};
use crate::relay::range;

pub use view::View;

/// Messages that may be out unacknowledged, and so the most that are worked off together.
const PREFETCH: u16 = 256;
/// From one fold to the next.
const LINGER: Duration = Duration::from_millis(200);
/// The same in a rush, at most.
const LINGER_IN_A_RUSH: Duration = Duration::from_secs(10);
/// After such a silence everything recorded is caught up with.
const SILENCE: Duration = Duration::from_secs(5);
/// Pauses after failures grow from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// The names of all projections, whose queues must exist.
pub fn projections() -> Vec<&'static str> {
    ALL.iter().map(|projection| projection.name()).collect()
}

/// Where a feed stands after it was asked to catch up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed {
    /// It has committed everything up to here, at least what it was asked for.
    At(i64),
    /// It stands still until somebody does something, for this reason.
    Parked(String),
}

/// Why a feed could not catch up, though it may a moment later.
pub type FeedError = Box<dyn std::error::Error + Send + Sync>;

/// What a projector drives: one projection, over any shard.
pub trait Feed: Send + 'static {
    /// The projection's name, which is part of its queue's.
    fn name(&self) -> &'static str;
    /// Folds and commits everything up to a position, or everything recorded.
    fn catch_up(&mut self, shard: i16, up_to: Option<i64>) -> impl Future<Output = Result<Fed, FeedError>> + Send;
    /// Whether so much is being recorded that it had better wait.
    fn is_rush(&mut self, shard: i16) -> impl Future<Output = Result<bool, FeedError>> + Send;
}

/// The projector of one projection's shard, in one process. Several may run: the queue serves one of them.
pub struct Projector<F> {
    feed: F,
    broker: Broker,
    metrics: Arc<WorkerMetrics>,
    shard: i16,
    /// Why the shard is parked, as long as it is.
    parked: Option<String>,
    /// When it folded last.
    folded: Instant,
}

/// Why a projector began anew.
#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    /// The broker, or the way to it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The feed.
    #[error("the projection could not be caught up")]
    Feed(#[source] FeedError),
}

impl<F: Feed> Projector<F> {
    /// Of a feed's shard.
    pub fn new(feed: F, broker: Broker, metrics: Arc<WorkerMetrics>, shard: i16) -> Self {
        Self { feed, broker, metrics, shard, parked: None, folded: Instant::now() }
    }

    /// Projects until the task is ended. What fails is tried again.
    pub async fn run(mut self) {
        let mut pause = PAUSE.0;
        loop {
            let began = Instant::now();
            let Err(error) = self.project().await else { continue };
            self.tell(&error);
            if matches!(error, ProjectorError::Broker(_))
                && let Err(error) = self.catch_up(None).await
            {
                self.tell(&error);
            }
            pause = if began.elapsed() > PAUSE.1 * 2 { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
            sleep(pause).await;
        }
    }

    fn tell(&self, error: &ProjectorError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%error, cause, projection = self.feed.name(), shard = self.shard, "the projector begins anew");
    }

    /// Connects and works until something fails or the broker's user has a successor.
    async fn project(&mut self) -> Result<(), ProjectorError> {
        let session = self.broker.connect().await?;
        self.metrics.connections("projector", 1);
        let result = self.consume(&session).await;
        session.close().await;
        self.metrics.connections("projector", -1);
        result
    }

    async fn consume(&mut self, session: &Session) -> Result<(), ProjectorError> {
        let name = self.feed.name();
        topology::declare(session, self.shard, &[name]).await?;
        let mut subscription = session.subscribe(&topology::queue(name, self.shard), PREFETCH).await?;
        // What was told to a queue that is no more.
        self.catch_up(None).await?;
        // Only the one consumer that the queue serves ever gets a message; the others need not look.
        let mut is_served = false;
        loop {
            tokio::select! {
                delivery = subscription.next() => {
                    is_served = true;
                    self.work_off(delivery?, &mut subscription).await?;
                }
                () = session.outlived() => return Ok(()),
                () = sleep(SILENCE), if is_served => self.catch_up(None).await?,
            }
        }
    }

    /// Waits for company.
    async fn linger(&mut self) -> Result<(), ProjectorError> {
        tokio::time::sleep_until(self.folded + LINGER).await;
        let began = Instant::now();
        while began.elapsed() < LINGER_IN_A_RUSH && self.feed.is_rush(self.shard).await.map_err(ProjectorError::Feed)? {
            sleep(LINGER).await;
        }
        Ok(())
    }

    /// Works off a message and those that wait behind it.
    async fn work_off(&mut self, first: Delivery, subscription: &mut Subscription) -> Result<(), ProjectorError> {
        self.linger().await?;
        let mut messages = vec![first];
        while messages.len() < usize::from(PREFETCH) {
            match subscription.next_ready()? {
                Some(message) => messages.push(message),
                None => break,
            }
        }
        let ranges = messages.iter().filter_map(|message| range::read(&message.body));
        // A message that is no range is nobody's: acknowledging it is all there is to do.
        if let Some(to) = ranges.filter(|range| range.shard == self.shard).map(|range| range.to).max() {
            self.catch_up(Some(to)).await?;
        }
        if let Some(last) = messages.last() {
            last.acknowledge_through().await?;
        }
        let redelivered = messages.iter().filter(|message| message.redelivered).count();
        self.metrics.projector_messages(self.feed.name(), self.shard, messages.len(), redelivered);
        Ok(())
    }

    async fn catch_up(&mut self, up_to: Option<i64>) -> Result<(), ProjectorError> {
        let name = self.feed.name();
        let fed = self.feed.catch_up(self.shard, up_to).await.map_err(ProjectorError::Feed)?;
        self.folded = Instant::now();
        match fed {
            Fed::At(position) => {
                self.parked = None;
                self.metrics.projector(name, self.shard, Some(position), false);
            }
            Fed::Parked(because) => {
                self.metrics.projector(name, self.shard, None, true);
                if self.parked.as_ref() != Some(&because) {
                    tracing::error!(projection = name, shard = self.shard, because, "the projection stands still");
                    self.parked = Some(because);
                }
            }
        }
        Ok(())
    }
}

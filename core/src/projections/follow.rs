//! Folding the log page by page: rows and checkpoint in one transaction, or neither.

use super::checkpoint::{self, Checkpoint, Point};
use super::log;
use super::reading::Reading;
use super::{Fold, Projection, Unreadable};
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::Arc;

/// Batches looked at for one chunk of events: most hold several.
const BATCHES: i64 = 500;
/// Events read at once.
const CHUNK: i64 = 5_000;
/// Events of a quarter of a second beyond which the ledger is in a rush.
const RUSH: i64 = 4_000;
/// The same for a projection that writes much.
const RUSH_FOR_HEAVY: i64 = 2_000;
/// A projection that writes much lets the others go first while one of them is so many events behind.
const FAR_BEHIND: i64 = 20_000;
/// So often is a single event tried before it counts as poison.
const ATTEMPTS: u32 = 3;

/// How much is folded between two commits.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Events at most.
    pub events: i64,
    /// Rows after which a page ends.
    pub rows: usize,
}

impl Pace {
    /// Short transactions, for a view that is being read; long enough after a backlog for the rows of busy accounts to be
    /// written once and not time and again.
    pub const LIVE: Self = Self { events: 250_000, rows: 100_000 };
    /// Sums gathered in memory, for one that is being built.
    pub const BULK: Self = Self { events: 1_000_000, rows: 200_000 };
}

/// Where a projection stands after it was caught up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has folded what it was asked for.
    At(i64),
    /// It stands still until it is rebuilt, for this reason.
    Parked(String),
    /// Its rows are of another version: an older one waits for `vintem rebuild`, a newer one is a newer release's.
    OfVersion(i32),
}

/// Why a page could not be folded.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The batch that the checkpoint names is not in the log.
    Forked,
    /// What is in the log cannot be folded.
    Poison(String),
    /// The database; not the log's fault.
    Database(sqlx::Error),
}

impl From<Unreadable> for Trouble {
    fn from(unreadable: Unreadable) -> Self {
        Self::Poison(unreadable.to_string())
    }
}

impl From<sqlx::Error> for Trouble {
    /// Values that do not fit and constraints that do not hold would fail for ever; all else may pass.
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        match code {
            Some(code) if code.starts_with("22") || code.starts_with("23") => Self::Poison(error.to_string()),
            _ => Self::Database(error),
        }
    }
}

/// Folds logs into projections over any session.
#[derive(Default)]
pub struct Follower {
    reading: Arc<Reading>,
}

impl Follower {
    /// Folds everything after the checkpoint, or everything up to a position.
    ///
    /// A range of the log that is covered already is done at once; one that begins later than it
    /// should has its gap read from the table, like all the rest.
    pub async fn catch_up(
        &mut self,
        session: &mut PgConnection,
        projection: &dyn Projection,
        shard: i16,
        up_to: Option<i64>,
        pace: Pace,
    ) -> Result<Standing, sqlx::Error> {
        let (mut events, mut failures) = (pace.events, 0);
        loop {
            let Some(checkpoint) = checkpoint::read(session, projection.name(), shard).await? else {
                checkpoint::begin(session, projection, shard).await?;
                continue;
            };
            let Checkpoint { version, point, parked } = checkpoint;
            if version != projection.version() {
                return Ok(Standing::OfVersion(version));
            }
            if let Some(because) = parked {
                return Ok(Standing::Parked(because));
            }
            if up_to.is_some_and(|to| to <= point.position) {
                return Ok(Standing::At(point.position));
            }
            let because = match self.page(session, projection, shard, &point, up_to, Pace { events, ..pace }).await {
                Ok(false) => return Ok(Standing::At(point.position)),
                Ok(true) => {
                    (events, failures) = (pace.events.min(events * 2), 0);
                    continue;
                }
                Err(Trouble::Database(error)) => return Err(error),
                Err(Trouble::Forked) => {
                    format!("batch {} of epoch {}, which it has folded, is not in the log", point.seq, point.epoch)
                }
                // Smaller pages fold what is before the event at fault, and name it.
                Err(Trouble::Poison(_)) if events > 1 => {
                    events = (events / 8).max(1);
                    continue;
                }
                Err(Trouble::Poison(_)) if failures + 1 < ATTEMPTS => {
                    failures += 1;
                    continue;
                }
                Err(Trouble::Poison(because)) => format!("event {} cannot be folded: {because}", point.position + 1),
            };
            tracing::error!(projection = projection.name(), shard, because, "the projection is parked");
            checkpoint::park(session, projection, shard, &point, &because).await?;
        }
    }

    /// Folds one page; `false` when there is nothing after the point. Another process may have been faster,
    /// which is found out under the checkpoint's lock, before a row is written.
    async fn page(
        &mut self,
        session: &mut PgConnection,
        projection: &dyn Projection,
        shard: i16,
        from: &Point,
        up_to: Option<i64>,
        pace: Pace,
    ) -> Result<bool, Trouble> {
        let mut fold = projection.begin();
        let mut at = *from;
        while at.position - from.position < pace.events && fold.rows() < pace.rows {
            let left = pace.events - (at.position - from.position);
            let to = up_to.unwrap_or(i64::MAX).min(at.position.saturating_add(left.min(CHUNK)));
            let next = self.chunk(session, shard, &at, to, &mut *fold).await?;
            if next == at {
                break;
            }
            at = next;
        }
        if at == *from {
            return Ok(false);
        }
        let mut tx = session.begin().await?;
        checkpoint::hurry(&mut tx).await?;
        if checkpoint::advance(&mut tx, projection, shard, from, &at).await? {
            fold.write(&mut tx, shard).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Folds the next few events, at most up to a position; answers the point after them.
    async fn chunk(
        &mut self,
        session: &mut PgConnection,
        shard: i16,
        at: &Point,
        to: i64,
        fold: &mut dyn Fold,
    ) -> Result<Point, Trouble> {
        let batches = log::batches(session, shard, at.seq, BATCHES).await?;
        // The point's own batch comes first, unless it is the beginning of everything.
        if at.seq > 0 && batches.first().is_none_or(|first| (first.seq, first.tip) != (at.seq, at.tip)) {
            return Err(Trouble::Forked);
        }
        let Some(newest) = batches.last() else { return Ok(*at) };
        let to = to.min(newest.last_position);
        if to > at.position {
            for fact in self.reading.facts(session, shard, &batches, at.position, to).await? {
                fold.take(&fact)?;
            }
        }
        let reached = batches.iter().rev().find(|batch| batch.last_position <= to && batch.seq > at.seq);
        Ok(reached.map_or(Point { position: to.max(at.position), ..*at }, |batch| Point {
            epoch: batch.epoch,
            position: to.max(at.position),
            seq: batch.seq,
            tip: batch.tip,
        }))
    }
}

/// A follower with connections of its own: what a worker calls.
pub struct Projector {
    pool: PgPool,
    follower: Follower,
}

impl Projector {
    /// Over a pool of the role `vintem_projector`; those of one process share a reading.
    pub fn new(pool: PgPool, reading: Arc<Reading>) -> Self {
        Self { pool, follower: Follower { reading } }
    }

    /// Folds everything after the checkpoint, or everything up to a position.
    pub async fn catch_up(
        &mut self,
        projection: &dyn Projection,
        shard: i16,
        up_to: Option<i64>,
    ) -> Result<Standing, sqlx::Error> {
        let mut session = self.pool.acquire().await?;
        self.follower.catch_up(&mut session, projection, shard, up_to, Pace::LIVE).await
    }

    /// Whether so much is being recorded that the view had better wait: a small machine has nothing to spare then, and
    /// folding a lot at once later is cheaper.
    pub async fn is_rush(&self, projection: &dyn Projection, shard: i16) -> Result<bool, sqlx::Error> {
        let mut session = self.pool.acquire().await?;
        let bearable = if projection.is_heavy() { RUSH_FOR_HEAVY } else { RUSH };
        Ok(log::recorded_lately(&mut session, shard).await? > bearable)
    }

    /// Whether a projection should let others go first, which write less and are far behind.
    pub async fn gives_way(&self, projection: &dyn Projection, shard: i16) -> Result<bool, sqlx::Error> {
        if !projection.is_heavy() {
            return Ok(false);
        }
        let light: Vec<&dyn Projection> = super::ALL.into_iter().filter(|other| !other.is_heavy()).collect();
        let mut session = self.pool.acquire().await?;
        checkpoint::any_behind(&mut session, &light, shard, FAR_BEHIND).await
    }
}

//! Building a projection anew beside the one that is in use, and putting it in its place while writes and reads go on.
//!
//! Beside: tables of the same names in the schema `rebuild`, which this session finds first, so that the
//! product's own folds fill them. Bulk: the log up to the old one's position in large pages, indexes that nothing is found by
//! last. Compare: both at an equal position, some rows in one snapshot at a time. Tail: what was written meanwhile. Swap: one
//! short transaction. Keep: the old tables stay in the schema `before` until the next rebuild.

mod store;

use super::follow::{Follower, Pace, Standing};
use super::{ALL, Projection, checkpoint};
use crate::event_store::shadow::{self, Differing, Table};
use crate::verify::Progress;
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};

/// Where the new tables stand.
const SHADOW: &str = "rebuild";
/// Events between two reports of the progress.
const STRIDE: i64 = 1_000_000;
/// So many events may be folded inside a snapshot; it must not grow old over it.
const IN_SNAPSHOT: i64 = 20_000;
/// Rows compared in one snapshot.
const ROWS: i64 = 50_000;
/// Tried so often to take the tables' locks, each time for a moment only, lest readers queue up behind us.
const SWAPS: u32 = 200;
const BETWEEN_SWAPS: Duration = Duration::from_millis(50);

/// Why a projection was not rebuilt. The one in use is untouched.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The new one cannot be built either.
    #[error("shard {shard} cannot be folded: {because}")]
    Parked {
        /// Which shard.
        shard: i16,
        /// Why.
        because: String,
    },
    /// Two that fill the same tables would spoil both.
    #[error("another session rebuilds this projection; wait for it")]
    Running,
    /// Readers never left the tables alone.
    #[error("the tables were never free for a moment; try again")]
    Busy,
    /// The database.
    #[error("the database could not be read or written")]
    Database(#[from] sqlx::Error),
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// Events folded.
    pub events: u64,
    /// Until the new tables took over.
    pub elapsed: Duration,
    /// How long the swap held its locks.
    pub swap: Duration,
    /// Rows of the old tables that were not as the log says, the first few of each; `None` when there was
    /// nothing to compare with.
    pub differing: Option<Vec<(&'static str, Differing)>>,
}

/// So many differing rows of a table are told.
const TOLD: usize = 10;

/// Rebuilds one projection over some shards, which must be all that there are. The session acts as the owner.
pub async fn rebuild(
    session: &mut PgConnection,
    projection: &dyn Projection,
    shards: &[i16],
    progress: &mut dyn Progress,
) -> Result<Rebuilt, RebuildError> {
    if !store::claim(session, projection).await? {
        return Err(RebuildError::Running);
    }
    store::enter(session).await?;
    let rebuilt =
        Rebuild { session: &mut *session, projection, shards, follower: Follower::default(), progress }.run().await;
    store::leave(session).await?;
    store::release(session, projection).await?;
    rebuilt
}

/// The projections that are parked somewhere, or whose rows are of another version than their fold.
pub async fn changed(session: &mut PgConnection) -> Result<Vec<&'static dyn Projection>, sqlx::Error> {
    let mut changed = Vec::new();
    for projection in ALL {
        if store::is_changed(session, projection).await? {
            changed.push(projection);
        }
    }
    Ok(changed)
}

struct Rebuild<'a> {
    session: &'a mut PgConnection,
    projection: &'a dyn Projection,
    shards: &'a [i16],
    follower: Follower,
    progress: &'a mut dyn Progress,
}

impl Rebuild<'_> {
    async fn run(mut self) -> Result<Rebuilt, RebuildError> {
        let began = Instant::now();
        store::make(self.session, self.projection).await?;
        // Rows that may come again are found by their primary key.
        if !self.projection.only_adds() {
            store::index(self.session, self.projection, true).await?;
        }
        // Not beyond the old one, where there is one: a fold cannot go back to be compared.
        for shard in self.shards {
            let newest = store::newest(self.session, *shard).await?;
            let to = self.comparable(*shard).await?.unwrap_or(newest);
            self.bulk(*shard, to).await?;
        }
        if self.projection.only_adds() {
            store::index(self.session, self.projection, true).await?;
        }
        store::index(self.session, self.projection, false).await?;
        store::analyze(self.session, self.projection).await?;
        let differing = self.compare().await?;
        let mut events = 0;
        for shard in self.shards {
            let newest = store::newest(self.session, *shard).await?;
            self.bulk(*shard, newest).await?;
            events += u64::try_from(newest).unwrap_or(0);
        }
        let swap = self.swap().await?;
        Ok(Rebuilt { events, elapsed: began.elapsed(), swap, differing })
    }

    /// Where the old one stands. One that is parked, or that means something else by now, is not
    /// compared: that is why it is replaced.
    async fn comparable(&mut self, shard: i16) -> Result<Option<i64>, sqlx::Error> {
        let old = checkpoint::in_use(self.session, self.projection.name(), shard).await?;
        let version = self.projection.version();
        Ok(old.filter(|old| old.version == version && !old.is_parked).map(|old| old.position))
    }

    /// Folds what there is up to a position, in large pages.
    async fn bulk(&mut self, shard: i16, to: i64) -> Result<(), RebuildError> {
        let folded = checkpoint::read(self.session, self.projection.name(), shard).await?;
        let mut at = folded.map_or(0, |row| row.point.position);
        if at < to {
            self.progress.begin(self.projection.name(), u64::try_from(to - at).unwrap_or(0));
        }
        while at < to {
            let next = to.min(at + STRIDE);
            self.catch_up(shard, Some(next), Pace::BULK).await?;
            self.progress.add(u64::try_from(next - at).unwrap_or(0));
            at = next;
        }
        Ok(())
    }

    async fn tail(&mut self) -> Result<(), RebuildError> {
        for shard in self.shards {
            self.catch_up(*shard, None, Pace::LIVE).await?;
        }
        Ok(())
    }

    async fn catch_up(&mut self, shard: i16, up_to: Option<i64>, pace: Pace) -> Result<(), RebuildError> {
        match self.follower.catch_up(self.session, self.projection, shard, up_to, pace).await? {
            Standing::At(_) => Ok(()),
            Standing::Parked(because) => Err(RebuildError::Parked { shard, because }),
            // The row was made by this very process.
            Standing::OfVersion(version) => {
                Err(RebuildError::Parked { shard, because: format!("its rows are of version {version}") })
            }
        }
    }

    /// Holds the old rows against the new ones.
    async fn compare(&mut self) -> Result<Option<Vec<(&'static str, Differing)>>, RebuildError> {
        let mut told = Vec::new();
        for shard in self.shards {
            for table in self.projection.tables() {
                let mut after = table.lowest();
                loop {
                    let Some((differing, upto)) = self.compare_page(*shard, table, &after).await? else {
                        return Ok(None);
                    };
                    let untold = TOLD.saturating_sub(told.iter().filter(|(name, _)| *name == table.name).count());
                    told.extend(differing.into_iter().take(untold).map(|row| (table.name, row)));
                    match upto {
                        Some(upto) => after = upto,
                        None => break,
                    }
                }
            }
        }
        Ok(Some(told))
    }

    /// Both must stand at the same position, which they do inside a snapshot: the new one is folded up to the old one
    /// there. `None` when there is no old one to compare with.
    async fn compare_page(
        &mut self,
        shard: i16,
        table: &Table,
        after: &shadow::Key,
    ) -> Result<Option<(Vec<Differing>, Option<shadow::Key>)>, RebuildError> {
        loop {
            let Some(old) = self.comparable(shard).await? else { return Ok(None) };
            self.bulk(shard, old).await?;
            let mut tx = self.session.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
            let name = self.projection.name();
            let old = checkpoint::in_use(&mut tx, name, shard).await?.filter(|old| !old.is_parked);
            let new = checkpoint::read(&mut tx, name, shard).await?.map_or(0, |row| row.point.position);
            let Some(old) = old.map(|old| old.position).filter(|old| *old >= new) else {
                tx.rollback().await?;
                return Ok(None);
            };
            if old > new + IN_SNAPSHOT {
                tx.rollback().await?;
                continue;
            }
            self.follower.catch_up(&mut tx, self.projection, shard, Some(old), Pace::LIVE).await?;
            let upto = shadow::boundary(&mut tx, table, SHADOW, shard, after, ROWS).await?;
            let end = upto.clone().unwrap_or_else(|| table.highest());
            let differing = shadow::compare(&mut tx, table, SHADOW, shard, after, &end).await?;
            tx.commit().await?;
            return Ok(Some((differing, upto)));
        }
    }

    async fn swap(&mut self) -> Result<Duration, RebuildError> {
        store::clear_before(self.session, self.projection).await?;
        for _ in 0..SWAPS {
            self.tail().await?;
            if let Some(held) = store::swap(self.session, self.projection).await? {
                return Ok(held);
            }
            tokio::time::sleep(BETWEEN_SWAPS).await;
        }
        Err(RebuildError::Busy)
    }
}

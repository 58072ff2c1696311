//! One batch from look-up to COMMIT.
//!
//! Order of locks: the shard's mutex first and alone; every other row is written after it and
//! only by its holder. Ways to Postgres and back: up to three look-ups before the lock (none when the batch was drafted
//! ahead), then the lock, the head, the batch, one for each of the look-up tables that change, COMMIT.

use super::append::{self, Statement};
use super::cache::AccountCache;
use super::chain::FLAG_RESOLUTION;
use super::draft::Draft;
use super::head::{self, Head, Locked};
use super::hooks::Hooks;
use super::job::Waiting;
use super::times::{Phase, Times};
use super::wanted::{Found, Wanted};
use sqlx::{PgConnection, Postgres, Transaction};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Filling a batch takes milliseconds; a peer that is silent for this long is dead.
const FILL_LIMIT: Duration = Duration::from_secs(20);
/// A COMMIT without an answer for this long is asked about on another connection.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);

/// Why a turn did not end with an acknowledged COMMIT.
pub(super) enum Failure {
    /// Nothing was written.
    Lost(sqlx::Error),
    /// COMMIT was sent for this batch and not acknowledged.
    Uncertain(Box<Draft>),
    /// The brake is on.
    Halted,
    /// The history that this process built on is no longer there.
    Forked,
}

/// What a writer builds on.
#[derive(Debug)]
pub(super) struct Memory {
    pub shard: i16,
    /// The newest batch known; `None` until the first turn, and after a fork.
    pub head: Option<Head>,
    pub cache: AccountCache,
    pub times: Arc<Times>,
}

impl Memory {
    /// Takes the lock and decides the jobs, unless they were drafted on what is still the newest batch.
    /// Where another process had the lock, others have come while this one waited for it: `more` adds them.
    /// A failure in here has written nothing.
    pub async fn open<'c>(
        &mut self,
        connection: &'c mut PgConnection,
        hooks: &dyn Hooks,
        waiting: &mut Vec<Waiting>,
        drafted: Option<Draft>,
        more: impl FnOnce(&mut Vec<Waiting>),
    ) -> Result<(Transaction<'c, Postgres>, Draft), Failure> {
        let opened = timeout(FILL_LIMIT, self.decide(connection, hooks, waiting, drafted, more)).await;
        opened.unwrap_or_else(|_| Err(Failure::Lost(timed_out())))
    }

    async fn decide<'c>(
        &mut self,
        connection: &'c mut PgConnection,
        hooks: &dyn Hooks,
        waiting: &mut Vec<Waiting>,
        drafted: Option<Draft>,
        more: impl FnOnce(&mut Vec<Waiting>),
    ) -> Result<(Transaction<'c, Postgres>, Draft), Failure> {
        // Without a head there is nothing that a look-up before the lock could be current with.
        let early = match (&self.head, &drafted) {
            (Some(_), None) => Some(self.look_up(connection, waiting).await.map_err(Failure::Lost)?),
            _ => None,
        };
        self.times.lap(Phase::LookUp);
        let mut tx = head::begin(connection, self.shard).await.map_err(Failure::Lost)?;
        let (Locked { head, now, .. }, moved) = self.update(&mut tx).await?;
        self.times.lap(Phase::Lock);
        if let Some(draft) = drafted.filter(|draft| draft.base == head.tip) {
            return Ok((tx, draft));
        }
        let found = match early {
            Some(found) if !moved => found,
            _ => {
                more(waiting);
                self.look_up(&mut tx, waiting).await.map_err(Failure::Lost)?
            }
        };
        self.times.lap(Phase::LookUp);
        let decided = Draft::decide(self.shard, head, now, waiting, found, hooks, Some(&mut tx)).await;
        // With a session to look into, every return can be looked up.
        let draft = decided.and_then(|draft| draft.ok_or(sqlx::Error::RowNotFound)).map_err(Failure::Lost)?;
        self.times.lap(Phase::Decide);
        Ok((tx, draft))
    }

    async fn look_up(&mut self, connection: &mut PgConnection, waiting: &[Waiting]) -> Result<Found, sqlx::Error> {
        let mut wanted = Wanted::by(waiting);
        let mut found = wanted.recall(|id| self.cache.get(id), |_| None);
        wanted.read(connection, self.shard, &mut found).await?;
        Ok(found)
    }

    /// Makes the memory current, under the lock. Answers whether another process wrote since.
    async fn update(&mut self, tx: &mut PgConnection) -> Result<(Locked, bool), Failure> {
        let locked = head::read(tx, self.shard, self.head.map_or(0, |h| h.seq)).await.map_err(Failure::Lost)?;
        if locked.is_halted {
            return Err(Failure::Halted);
        }
        let moved = match self.head {
            Some(own) if own.tip == locked.head.tip => false,
            Some(own) if own.seq == 0 || locked.tip_at == Some(own.tip) => {
                self.cache
                    .catch_up(tx, self.shard, own.last_position, locked.head.last_position)
                    .await
                    .map_err(Failure::Lost)?;
                true
            }
            // A higher epoch says that an operator knows that this process's history was abandoned.
            Some(own) if locked.head.epoch <= own.epoch => return Err(Failure::Forked),
            _ => {
                self.cache.clear();
                true
            }
        };
        self.head = Some(locked.head);
        Ok((locked, moved))
    }

    /// Learns what became of a COMMIT that was not acknowledged: `true` when it is durable.
    ///
    /// The old session holds the lock until it has ended one way or the other, so under the lock the
    /// answer is final; and only a further commit of our own proves that what we see is durable.
    pub async fn resolve(&self, connection: &mut PgConnection, pending: &Draft) -> Result<bool, sqlx::Error> {
        let mut tx = head::begin(connection, self.shard).await?;
        let locked = head::read(&mut tx, self.shard, pending.head.seq).await?;
        if locked.tip_at != Some(pending.head.tip) {
            return Ok(false);
        }
        let mut mark = Draft::empty(self.shard, locked.head, locked.now, FLAG_RESOLUTION)?;
        append::execute(&mut tx, mark.statements()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Appends a batch.
pub(super) async fn append(tx: &mut PgConnection, batch: Vec<Statement>) -> Result<(), sqlx::Error> {
    timeout(FILL_LIMIT, append::execute(tx, batch)).await.unwrap_or_else(|_| Err(timed_out()))
}

/// Makes it durable; `false` when COMMIT was sent and not acknowledged.
pub(super) async fn commit(tx: Transaction<'_, Postgres>) -> bool {
    matches!(timeout(COMMIT_LIMIT, tx.commit()).await, Ok(Ok(())))
}

/// A time-out as the error of a connection.
pub(super) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

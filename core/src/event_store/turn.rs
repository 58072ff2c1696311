//! One batch from look-up to COMMIT.
//!
//! Order of locks: the shard's mutex first and alone; every other row is written after it and
//! only by its holder. Round trips: up to three look-ups before the lock, then BEGIN, lock, head,
//! one insert per table that has rows, COMMIT.

use super::append::{self, RequestRow};
use super::cache::AccountCache;
use super::chain::{self, BatchHeader, FLAG_RESOLUTION, RequestColumns, Tip};
use super::decide::Decider;
use super::head::{self, Head, Locked};
use super::hooks::Hooks;
use super::job::{Disposed, Waiting};
use super::look_up;
use super::overlay::{AccountState, Overlay, SCHEMA};
use super::proposal::Decision;
use super::wanted::{Found, Wanted};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// Filling a batch takes milliseconds; a peer that is silent for this long is dead.
const FILL_LIMIT: Duration = Duration::from_secs(20);
/// A COMMIT without an answer for this long is asked about on another connection.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);

/// Why a turn did not end with an acknowledged COMMIT.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was written.
    Lost(sqlx::Error),
    /// COMMIT was sent and not acknowledged.
    Uncertain(Box<Turned>),
    /// The brake is on.
    Halted,
    /// The history that this process built on is no longer there.
    Forked,
}

/// A turn's result, to be told and remembered once it is durable.
#[derive(Debug)]
pub(super) struct Turned {
    pub disposed: Vec<Disposed>,
    pub head: Head,
    pub accounts: HashMap<Uuid, AccountState>,
}

/// What a writer builds on.
#[derive(Debug)]
pub(super) struct Memory {
    pub shard: i16,
    /// The newest batch known; `None` until the first turn, and after a fork.
    pub head: Option<Head>,
    pub cache: AccountCache,
}

impl Memory {
    /// Disposes of the jobs in one transaction.
    pub async fn turn(
        &mut self,
        connection: &mut PgConnection,
        hooks: &dyn Hooks,
        waiting: &[Waiting],
    ) -> Result<Turned, Failure> {
        let filled = timeout(FILL_LIMIT, self.fill(connection, hooks, waiting)).await;
        let (tx, turned, has_rows) = filled.unwrap_or_else(|_| Err(Failure::Lost(timed_out())))?;
        if !has_rows {
            // Only replays: nothing to make durable.
            tx.rollback().await.map_err(Failure::Lost)?;
            return Ok(turned);
        }
        match timeout(COMMIT_LIMIT, tx.commit()).await {
            Ok(Ok(())) => Ok(turned),
            _ => Err(Failure::Uncertain(Box::new(turned))),
        }
    }

    /// Everything before COMMIT: a failure in here has written nothing.
    async fn fill<'c>(
        &mut self,
        connection: &'c mut PgConnection,
        hooks: &dyn Hooks,
        waiting: &[Waiting],
    ) -> Result<(Transaction<'c, Postgres>, Turned, bool), Failure> {
        let wanted = Wanted::by(waiting);
        // Without a head there is nothing that a look-up before the lock could be current with.
        let early = if self.head.is_some() {
            Some(self.look_up(connection, &wanted).await.map_err(Failure::Lost)?)
        } else {
            None
        };
        let mut tx = connection.begin().await.map_err(Failure::Lost)?;
        let (locked, moved) = self.lock(&mut tx).await?;
        let found = match early {
            Some(found) if !moved => found,
            _ => self.look_up(&mut tx, &wanted).await.map_err(Failure::Lost)?,
        };
        let (turned, has_rows) = self.record(&mut tx, hooks, waiting, found, &locked).await.map_err(Failure::Lost)?;
        Ok((tx, turned, has_rows))
    }

    async fn look_up(&mut self, connection: &mut PgConnection, wanted: &Wanted) -> Result<Found, sqlx::Error> {
        let cache = &mut self.cache;
        wanted.look_up(connection, self.shard, |id| cache.get(id)).await
    }

    /// Takes the lock and makes the memory current. Answers whether another process wrote since.
    async fn lock(&mut self, tx: &mut PgConnection) -> Result<(Locked, bool), Failure> {
        head::lock(tx, self.shard).await.map_err(Failure::Lost)?;
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

    async fn record(
        &mut self,
        tx: &mut PgConnection,
        hooks: &dyn Hooks,
        waiting: &[Waiting],
        mut found: Found,
        locked: &Locked,
    ) -> Result<(Turned, bool), sqlx::Error> {
        let accounts = std::mem::take(&mut found.accounts);
        let mut overlay =
            Overlay::new(locked.now, locked.head.last_position, accounts, std::mem::take(&mut found.streams));
        let counters = counter_keys(waiting, &overlay);
        if !counters.is_empty() {
            overlay.know_counters(look_up::counters(tx, self.shard, &counters).await?);
        }
        let mut decider =
            Decider { shard: self.shard, hooks, tx, overlay, requests: Vec::new(), not_due: HashSet::new() };
        let disposed = decider.dispose(waiting, &found).await?;
        let Decider { overlay, requests, .. } = decider;
        let has_rows = !overlay.events.is_empty() || !requests.is_empty();
        let head = if has_rows {
            append_batch(tx, hooks, self.shard, locked, &overlay, &requests, 0).await?
        } else {
            locked.head
        };
        Ok((Turned { disposed, head, accounts: overlay.into_accounts() }, has_rows))
    }

    /// Learns what became of a COMMIT that was not acknowledged: `true` when it is durable.
    ///
    /// The old session holds the lock until it has ended one way or the other, so under the lock the
    /// answer is final; and only a further commit of our own proves that what we see is durable.
    pub async fn resolve(
        &mut self,
        connection: &mut PgConnection,
        hooks: &dyn Hooks,
        pending: &Turned,
    ) -> Result<bool, Failure> {
        let mut tx = connection.begin().await.map_err(Failure::Lost)?;
        head::lock(&mut tx, self.shard).await.map_err(Failure::Lost)?;
        let locked = head::read(&mut tx, self.shard, pending.head.seq).await.map_err(Failure::Lost)?;
        if locked.tip_at != Some(pending.head.tip) {
            return Ok(false);
        }
        let empty = Overlay::new(locked.now, locked.head.last_position, HashMap::new(), HashMap::new());
        append_batch(&mut tx, hooks, self.shard, &locked, &empty, &[], FLAG_RESOLUTION).await.map_err(Failure::Lost)?;
        tx.commit().await.map_err(Failure::Lost)?;
        Ok(true)
    }
}

/// A time-out as the error of a connection.
pub(super) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// Counters whose window counts at the batch's instant.
fn counter_keys(waiting: &[Waiting], overlay: &Overlay) -> Vec<(i64, String)> {
    let proposals = waiting.iter().flat_map(|w| &w.job.items).filter_map(|item| match &item.decision {
        Decision::Propose(proposal) => Some(proposal),
        _ => None,
    });
    let keys: BTreeSet<_> = proposals
        .flat_map(|p| &p.counts)
        .filter_map(|count| Some((overlay.account(count.account)?.number, count.window.key(overlay.now, count.zone)?)))
        .collect();
    keys.into_iter().collect()
}

/// Appends everything of a batch and links it to the chain.
pub(super) async fn append_batch(
    tx: &mut PgConnection,
    hooks: &dyn Hooks,
    shard: i16,
    locked: &Locked,
    overlay: &Overlay,
    requests: &[RequestRow],
    flags: i16,
) -> Result<Head, sqlx::Error> {
    let first_position = locked.head.last_position + 1;
    let last_position = overlay.events.last().map_or(first_position - 1, |row| row.recorded.position);
    let header = BatchHeader {
        shard,
        seq: locked.head.seq + 1,
        epoch: locked.head.epoch,
        first_position,
        last_position,
        recorded_at: locked.now,
        flags,
    };
    let tip = tip(&locked.head.tip, &header, overlay, requests);
    if !overlay.events.is_empty() {
        append::events(tx, shard, &overlay.events).await?;
        hooks.fold_look_ups(tx, shard, &overlay.events).await?;
    }
    if !overlay.entries.is_empty() {
        append::entries(tx, shard, &overlay.entries).await?;
    }
    if !overlay.counters.is_empty() {
        append::counters(tx, shard, &overlay.counters).await?;
    }
    if !requests.is_empty() {
        append::requests(tx, shard, header.seq, requests).await?;
    }
    append::batch(tx, &header, &tip).await?;
    Ok(Head { seq: header.seq, epoch: header.epoch, last_position, tip })
}

fn tip(previous: &Tip, header: &BatchHeader, overlay: &Overlay, requests: &[RequestRow]) -> Tip {
    let requests = requests.iter().map(|row| RequestColumns {
        tenant: row.origin.tenant,
        principal: row.key.principal,
        key: &row.key.key,
        fingerprint: &row.key.fingerprint,
        status: append::status(&row.answer),
        code: row.answer.code.map(crate::kernel::RefusalCode::as_str),
        position: row.position,
    });
    chain::tip(previous, header, overlay.events.iter().map(|row| row.columns(SCHEMA, None)), requests.collect())
}

//! A batch as it was decided: the rows to append, and the word for every job.
//!
//! A draft builds on one tip, which it names. It may be appended only under the lock, and only while that tip is the
//! newest: then everything that it was decided on is still true, whenever that was.

use super::append::{self, RequestRow};
use super::chain::{self, BatchHeader, RequestColumns, Tip};
use super::decide::{Decider, Returns};
use super::head::Head;
use super::hooks::Hooks;
use super::job::{Disposed, Waiting};
use super::look_up;
use super::overlay::{Overlay, SCHEMA};
use super::proposal::Decision;
use super::wanted::Found;
use crate::kernel::Instant;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};

/// A batch, decided and not yet appended.
#[derive(Debug)]
pub(super) struct Draft {
    /// The newest batch when it was decided.
    pub base: Tip,
    /// What it will leave; where it has no rows, the newest batch as it was.
    pub head: Head,
    /// States, events, entries and counters.
    pub overlay: Overlay,
    /// In the order of the jobs.
    pub disposed: Vec<Disposed>,
    header: BatchHeader,
    requests: Vec<RequestRow>,
}

impl Draft {
    /// Decides the jobs on what was found. `None`: a return of held money may be due, which can only be looked up
    /// with the lock held.
    pub async fn decide(
        shard: i16,
        base: Head,
        now: Instant,
        waiting: &[Waiting],
        mut found: Found,
        mut returns: Option<Returns<'_>>,
    ) -> Result<Option<Self>, sqlx::Error> {
        let (accounts, streams) = (std::mem::take(&mut found.accounts), std::mem::take(&mut found.streams));
        let mut overlay = Overlay::new(now, base.last_position, accounts, streams);
        let counters = counter_keys(waiting, &overlay);
        if !counters.is_empty() {
            let Some(returns) = &mut returns else { return Ok(None) };
            overlay.know_counters(look_up::counters(returns.tx, shard, &counters).await?);
        }
        let mut decider = Decider::new(shard, overlay, returns);
        let disposed = decider.dispose(waiting, &found).await?;
        let Decider { overlay, requests, must_look, .. } = decider;
        Ok((!must_look).then(|| Self::seal(shard, base, overlay, requests, disposed, 0)))
    }

    /// A batch without events: it says something by being there.
    pub fn empty(shard: i16, base: Head, now: Instant, flags: i16) -> Self {
        let overlay = Overlay::new(now, base.last_position, HashMap::new(), HashMap::new());
        Self::seal(shard, base, overlay, Vec::new(), Vec::new(), flags)
    }

    /// Links the batch to the chain.
    fn seal(
        shard: i16,
        base: Head,
        overlay: Overlay,
        requests: Vec<RequestRow>,
        disposed: Vec<Disposed>,
        flags: i16,
    ) -> Self {
        let first_position = base.last_position + 1;
        let last_position = overlay.events.last().map_or(first_position - 1, |row| row.recorded.position);
        let (seq, epoch, recorded_at) = (base.seq + 1, base.epoch, overlay.now);
        let header = BatchHeader { shard, seq, epoch, first_position, last_position, recorded_at, flags };
        let tip = tip(&base.tip, &header, &overlay, &requests);
        let head = Head { seq, epoch, last_position, tip };
        let draft = Self { base: base.tip, head, overlay, disposed, header, requests };
        if draft.has_rows() { draft } else { Self { head: base, ..draft } }
    }

    /// Whether there is anything to make durable. A batch of replays has nothing.
    pub fn has_rows(&self) -> bool {
        !self.overlay.events.is_empty() || !self.requests.is_empty() || self.header.flags != 0
    }

    /// The batch's instant.
    pub fn recorded_at(&self) -> Instant {
        self.header.recorded_at
    }

    /// Appends everything of the batch.
    pub async fn append(&self, tx: &mut PgConnection, hooks: &dyn Hooks) -> Result<(), sqlx::Error> {
        let Self { overlay, header, requests, .. } = self;
        if !overlay.events.is_empty() {
            append::events(tx, header.shard, &overlay.events).await?;
            hooks.fold_look_ups(tx, header.shard, &overlay.events).await?;
        }
        if !overlay.entries.is_empty() {
            append::entries(tx, header.shard, &overlay.entries).await?;
        }
        if !overlay.counters.is_empty() {
            append::counters(tx, header.shard, &overlay.counters).await?;
        }
        if !requests.is_empty() {
            append::requests(tx, header.shard, header.seq, requests).await?;
        }
        append::batch(tx, header, &self.head.tip).await
    }
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

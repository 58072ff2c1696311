//! A batch as it was decided: the rows to append, and the word for every job.
//!
//! A draft builds on one tip, which it names. It may be appended only under the lock, and only while that tip is the
//! newest: then everything that it was decided on is still true, whenever that was.

use super::append::{self, RequestRow, Statement};
use super::chain::{self, BatchHeader, RequestColumns, Tip};
use super::decide::{Decider, Returns};
use super::head::Head;
use super::hooks::{Hooks, NoHooks};
use super::job::{Disposed, Waiting};
use super::look_up;
use super::overlay::{Overlay, SCHEMA};
use super::personal;
use super::proposal::{Decision, Proposal};
use super::wanted::Found;
use crate::kernel::Instant;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A batch, decided and not yet appended.
pub(super) struct Draft {
    /// The newest batch when it was decided.
    pub base: Tip,
    /// What it will leave; where it has no rows, the newest batch as it was.
    pub head: Head,
    /// States, events, entries and counters.
    pub overlay: Overlay,
    /// In the order of the jobs.
    pub disposed: Vec<Disposed>,
    /// What appends it, in this order.
    statements: Vec<Statement>,
    recorded_at: Instant,
}

impl Draft {
    /// Decides the jobs on what was found. `None`: a return of held money, a counter or a personal key must be looked
    /// up, which only the session that holds the lock can do.
    pub async fn decide(
        shard: i16,
        base: Head,
        now: Instant,
        waiting: &[Waiting],
        mut found: Found,
        hooks: &dyn Hooks,
        under_lock: Option<&mut PgConnection>,
    ) -> Result<Option<Self>, sqlx::Error> {
        let mut returns = under_lock.map(|tx| Returns { hooks, tx });
        let (accounts, streams) = (std::mem::take(&mut found.accounts), std::mem::take(&mut found.streams));
        let mut overlay = Overlay::new(now, base.last_position, accounts, streams);
        let counters = counter_keys(waiting, &overlay);
        if !counters.is_empty() {
            let Some(returns) = &mut returns else { return Ok(None) };
            overlay.know_counters(look_up::counters(returns.tx, shard, &counters).await?);
        }
        let names = personal::wanted(decisions(waiting));
        if !names.is_empty() {
            let Some(returns) = &mut returns else { return Ok(None) };
            overlay.personal.know(look_up::personal_keys(returns.tx, shard, &names).await?);
        }
        let mut decider = Decider::new(shard, overlay, returns);
        let disposed = decider.dispose(waiting, &found).await?;
        let Decider { overlay, requests, must_look, .. } = decider;
        if must_look {
            return Ok(None);
        }
        Self::seal(shard, base, overlay, &requests, disposed, 0, hooks).map(Some)
    }

    /// A batch without events: it says something by being there.
    pub fn empty(shard: i16, base: Head, now: Instant, flags: i16) -> Result<Self, sqlx::Error> {
        let overlay = Overlay::new(now, base.last_position, HashMap::new(), HashMap::new());
        Self::seal(shard, base, overlay, &[], Vec::new(), flags, &NoHooks)
    }

    /// Links the batch to the chain.
    fn seal(
        shard: i16,
        base: Head,
        overlay: Overlay,
        requests: &[RequestRow],
        disposed: Vec<Disposed>,
        flags: i16,
        hooks: &dyn Hooks,
    ) -> Result<Self, sqlx::Error> {
        let recorded_at = overlay.now;
        if overlay.events.is_empty() && requests.is_empty() && flags == 0 {
            return Ok(Self { base: base.tip, head: base, overlay, disposed, statements: Vec::new(), recorded_at });
        }
        let first_position = base.last_position + 1;
        let last_position = overlay.events.last().map_or(first_position - 1, |row| row.recorded.position);
        let (seq, epoch) = (base.seq + 1, base.epoch);
        let header = BatchHeader { shard, seq, epoch, first_position, last_position, recorded_at, flags };
        let tip = tip(&base.tip, &header, &overlay, requests);
        let head = Head { seq, epoch, last_position, tip };
        let mut statements = vec![append::batch(&header, &tip, &overlay.events, &overlay.entries, requests)];
        statements.extend(hooks.look_ups(shard, &overlay.events)?);
        if !overlay.counters.is_empty() {
            statements.push(append::counters(shard, &overlay.counters));
        }
        statements.extend(append::personal(shard, &overlay.personal));
        Ok(Self { base: base.tip, head, overlay, disposed, statements, recorded_at })
    }

    /// The batch's instant.
    pub fn recorded_at(&self) -> Instant {
        self.recorded_at
    }

    /// What appends the batch, handed out once. Nothing: a batch of replays has nothing to make durable.
    pub fn statements(&mut self) -> Vec<Statement> {
        std::mem::take(&mut self.statements)
    }
}

/// What all jobs want, with their tenants.
fn decisions(waiting: &[Waiting]) -> impl Iterator<Item = (Uuid, &Decision)> {
    waiting.iter().flat_map(|w| w.job.items.iter().map(|item| (w.job.origin.tenant, &item.decision)))
}

/// Counters whose window counts at the batch's instant.
fn counter_keys(waiting: &[Waiting], overlay: &Overlay) -> Vec<(i64, String)> {
    let proposals = decisions(waiting).filter_map(|(_, decision)| match decision {
        Decision::Propose(proposal) => Some(proposal),
        _ => None,
    });
    let keys: BTreeSet<_> = proposals
        .flat_map(Proposal::alternatives)
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

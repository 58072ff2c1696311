//! One reading of the log for everybody who folds it.
//!
//! Projections that keep up want the same events at about the same time. Whoever wants them first reads them and
//! completes them to facts; the newest stay for a while, and the others take them from here. Who is far behind reads
//! for himself.
//!
//! What stays is of one history: it is handed out only while the batch that ends it has the tip under which it was read.

use super::fact::Fact;
use super::follow::Trouble;
use super::known::Known;
use super::log::{self, Batch};
use crate::kernel::Instant;
use sqlx::PgConnection;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::Mutex as Turns;

/// Facts that stay, of about a kilobyte each.
const STAY: usize = 20_000;

/// The newest facts of every shard, shared by the followers of a process.
#[derive(Default)]
pub struct Reading(Mutex<HashMap<i16, Arc<Turns<Window>>>>);

#[derive(Default)]
struct Window {
    known: Known,
    /// Of everything in here; another history may have other accounts.
    epoch: Option<i32>,
    /// The batches that hold the facts.
    batches: VecDeque<Batch>,
    /// Without a gap.
    facts: VecDeque<Arc<Fact>>,
}

impl Reading {
    /// The facts after a position, up to another. `batches` were just read: from the one that holds the first
    /// position, at least to the one that holds the last.
    pub(super) async fn facts(
        &self,
        session: &mut PgConnection,
        shard: i16,
        batches: &[Batch],
        after: i64,
        to: i64,
    ) -> Result<Vec<Arc<Fact>>, Trouble> {
        let window = self.window(shard);
        let mut window = window.lock().await;
        let (agrees, epoch) = (window.agrees_with(batches), batches.last().map(|batch| batch.epoch));
        if agrees == Some(false) || window.epoch != epoch {
            *window = Window { epoch, ..Window::default() };
        }
        let (first, last) = window.positions().unwrap_or((after + 1, after));
        if after + 1 < first {
            return window.read(session, shard, batches, after, to).await;
        }
        if after > last || agrees.is_none() {
            window.clear();
        }
        let last = window.positions().map_or(after, |(_, last)| last);
        if last < to {
            let facts = window.read(session, shard, batches, last, to).await?;
            window.keep(facts, batches, to);
        }
        Ok(window.between(after, to))
    }

    fn window(&self, shard: i16) -> Arc<Turns<Window>> {
        // Nothing can fail while it is held.
        let mut windows = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        windows.entry(shard).or_default().clone()
    }
}

impl Window {
    /// Whether what stays is of the history that these batches are of; `None` where the two do not meet.
    fn agrees_with(&self, batches: &[Batch]) -> Option<bool> {
        let (newest, last) = (self.batches.back()?, batches.last()?);
        // The tip of a batch stands for everything before it.
        let theirs = batches.iter().find(|batch| batch.seq == newest.seq).map(|batch| batch.tip == newest.tip);
        theirs.or_else(|| self.batches.iter().find(|batch| batch.seq == last.seq).map(|batch| batch.tip == last.tip))
    }

    /// The first and the last position that stay.
    fn positions(&self) -> Option<(i64, i64)> {
        Some((self.facts.front()?.position, self.facts.back()?.position))
    }

    fn clear(&mut self) {
        self.batches.clear();
        self.facts.clear();
    }

    async fn read(
        &mut self,
        session: &mut PgConnection,
        shard: i16,
        batches: &[Batch],
        after: i64,
        to: i64,
    ) -> Result<Vec<Arc<Fact>>, Trouble> {
        let rows = log::events(session, shard, after, to).await?;
        let expected = after + 1..;
        if let Some((position, _)) = expected.zip(&rows).find(|(position, row)| *position != row.position) {
            return Err(Trouble::Poison(format!("event {position} is missing")));
        }
        if i64::try_from(rows.len()).is_ok_and(|count| count < to - after) {
            return Err(Trouble::Poison(format!("event {to} or one before it is missing")));
        }
        let facts = self.known.complete(session, shard, rows, recorded_at(batches)).await?;
        Ok(facts.into_iter().map(Arc::new).collect())
    }

    /// Lets facts stay that follow on those that do, and no more than there is room for.
    fn keep(&mut self, facts: Vec<Arc<Fact>>, batches: &[Batch], to: i64) {
        let newest = self.batches.back().map_or(0, |batch| batch.seq);
        let reaches = batches.iter().position(|batch| batch.last_position >= to).unwrap_or(batches.len());
        self.batches.extend(batches.iter().take(reaches + 1).filter(|batch| batch.seq > newest));
        self.facts.extend(facts);
        self.facts.drain(..self.facts.len().saturating_sub(STAY));
        let first = self.facts.front().map_or(0, |fact| fact.position);
        while self.batches.front().is_some_and(|batch| batch.last_position < first) {
            self.batches.pop_front();
        }
    }

    fn between(&self, after: i64, to: i64) -> Vec<Arc<Fact>> {
        let Some((first, _)) = self.positions() else { return Vec::new() };
        let index = |position: i64| usize::try_from(position - first).unwrap_or(0).min(self.facts.len());
        self.facts.range(index(after + 1)..index(to + 1)).cloned().collect()
    }
}

/// Tells of rising positions when they were recorded: in the first batch that reaches them.
fn recorded_at(batches: &[Batch]) -> impl FnMut(i64) -> Instant {
    let mut index = 0;
    move |position| {
        while batches.get(index + 1).is_some() && batches[index].last_position < position {
            index += 1;
        }
        batches[index].recorded_at
    }
}

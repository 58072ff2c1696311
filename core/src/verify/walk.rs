//! The one walk over the log: chain, positions, streams, and the folds, page by page.

use super::Audit;
use super::fold::Fold;
use super::link::{Contents, Link};
use super::look_ups::LookUps;
use super::personal::Living;
use super::report::{Findings, Rule, Subject};
use super::store::log::{self, Batch, Events, Request};
use super::{charges, requests, reversals};
use crate::event_store::overlay::EventRow;

/// Batches read at once; each may have thousands of requests.
const BATCHES: i64 = 200;
/// Events of a page: enough to spread the round trips, few enough for any memory.
const EVENTS: i64 = 5_000;
/// Above any page that the writer can have made: a bulk request has 10,000 items of two events.
const MOST_EVENTS: i64 = 50_000;

/// What the walk leaves behind.
pub struct Walked {
    /// Accounts, holds and sums.
    pub fold: Fold,
    /// The look-up tables, rebuilt.
    pub look_ups: LookUps,
    /// Holders who are not erased.
    pub living: Living,
    /// How many there were.
    pub batches: u64,
    /// How many there were.
    pub events: u64,
    /// How many there were.
    pub requests: u64,
}

/// Walks the log from its beginning to the end.
pub async fn walk(audit: &mut Audit<'_>) -> Result<Walked, sqlx::Error> {
    audit.progress.begin("events", u64::try_from(audit.end.position).unwrap_or(0));
    let mut walked = Walked {
        fold: Fold::default(),
        look_ups: LookUps::new(audit.shard),
        living: Living::default(),
        batches: 0,
        events: 0,
        requests: 0,
    };
    let mut link = Link::genesis(audit.shard);
    let (mut seq, mut position) = (i64::MIN, 0);
    loop {
        let page = Page::read(audit, seq, position).await?;
        let is_last = page.batches.is_empty();
        seq = page.batches.last().map_or(seq, |batch| batch.header.seq);
        let reached = page.events.rows.last().map_or(position, |row| row.recorded.position);
        walked.take(audit, page, &mut link, position).await?;
        if is_last && reached == position {
            break;
        }
        position = reached;
    }
    Ok(walked)
}

/// Some batches with their events and requests.
struct Page {
    batches: Vec<Batch>,
    events: Events,
    requests: Vec<Request>,
}

impl Page {
    /// The batches after `seq`, up to about [`EVENTS`]; after the last batch, what stands in none.
    async fn read(audit: &mut Audit<'_>, seq: i64, position: i64) -> Result<Self, sqlx::Error> {
        let (shard, end) = (audit.shard, audit.end);
        let mut batches = log::batches(audit.session, shard, seq, end.seq, BATCHES).await?;
        let fitting =
            batches.iter().take_while(|batch| batch.header.first_position <= position.saturating_add(EVENTS)).count();
        batches.truncate(fitting.max(1));
        let (last_seq, last_position) = batches
            .iter()
            .fold((seq, position), |(_, last), batch| (batch.header.seq, last.max(batch.header.last_position)));
        let to = if batches.is_empty() { end.position } else { last_position.min(end.position) };
        let events = log::events(audit.session, shard, position, to, MOST_EVENTS).await?;
        let requests = log::requests(audit.session, shard, seq, last_seq).await?;
        Ok(Self { batches, events, requests })
    }

    /// Events of a batch, as far as this page has them.
    fn events_of(&self, batch: &Batch) -> std::ops::Range<usize> {
        let before = |limit: i64| self.events.rows.partition_point(|row| row.recorded.position < limit);
        let first = before(batch.header.first_position);
        first..before(batch.header.last_position.saturating_add(1)).max(first)
    }

    /// Gives each event the instant of its batch, and checks the batches one after the other.
    fn link(&mut self, link: &mut Link, findings: &mut Findings) {
        let mut request = 0;
        for index in 0..self.batches.len() {
            let batch = self.batches[index];
            let range = self.events_of(&batch);
            for row in &mut self.events.rows[range.clone()] {
                row.recorded.recorded_at = batch.header.recorded_at;
            }
            let of = |from: usize, is: &dyn Fn(i64) -> bool| {
                from + self.requests[from..].iter().take_while(|r| is(r.seq)).count()
            };
            let first = of(request, &|seq| seq < batch.header.seq);
            requests::without_batch(&self.requests[request..first], findings);
            request = of(first, &|seq| seq == batch.header.seq);
            let requests = &self.requests[first..request];
            let contents =
                Contents { events: &self.events.rows[range.clone()], rest: &self.events.rest[range], requests };
            link.follow(&batch, &contents, findings);
            requests::check(requests, &batch, contents.events, findings);
        }
    }
}

impl Walked {
    async fn take(
        &mut self,
        audit: &mut Audit<'_>,
        mut page: Page,
        link: &mut Link,
        position: i64,
    ) -> Result<(), sqlx::Error> {
        positions(&page.events.rows, position, &mut audit.findings);
        page.link(link, &mut audit.findings);
        for row in &page.events.rows {
            self.fold.event(&row.recorded, &mut audit.findings);
            self.living.event(&row.recorded);
        }
        streams(audit, &page.events.rows).await?;
        reversals::check(audit, &page.events.rows).await?;
        charges::check(audit, &page.events.rows).await?;
        self.look_ups.fold(audit.session, &page.events.rows, &mut audit.findings).await?;
        self.batches += page.batches.len() as u64;
        self.events += page.events.rows.len() as u64;
        self.requests += page.requests.len() as u64;
        audit.progress.add(page.events.rows.len() as u64);
        Ok(())
    }
}

/// Positions follow each other without a gap.
fn positions(rows: &[EventRow], before: i64, findings: &mut Findings) {
    let mut before = before;
    for row in rows {
        let position = row.recorded.position;
        match position - before {
            1 => {}
            2 => findings.add(Rule::Position, Subject::Event(before + 1), "is missing"),
            _ => findings.add(
                Rule::Position,
                Subject::Event(before + 1),
                format!("and all up to {} are missing", position - 1),
            ),
        }
        before = position;
    }
}

/// Each event follows the version before it in its stream. With that, and with the unique index over
/// stream and version, every stream is contiguous, and no list of all streams needs to be kept.
async fn streams(audit: &mut Audit<'_>, rows: &[EventRow]) -> Result<(), sqlx::Error> {
    let later =
        rows.iter().map(|row| &row.recorded).filter(|r| r.version > 1).map(|r| (r.stream, r.version, r.position));
    let later: Vec<_> = later.collect();
    if later.is_empty() {
        return Ok(());
    }
    for position in log::without_predecessor(audit.session, audit.shard, &later).await? {
        audit.findings.add(
            Rule::Stream,
            Subject::Event(position),
            "does not follow the version before it in its stream",
        );
    }
    Ok(())
}

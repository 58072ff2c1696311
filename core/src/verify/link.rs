//! One link of the chain of batches after the other.

use super::report::{Findings, Rule, Subject};
use super::store::log::{Batch, Request};
use crate::event_store::chain::{self, EventColumns, FLAG_RECOVERY, FLAG_RESOLUTION, RequestColumns, Tip};
use crate::event_store::overlay::EventRow;
use crate::kernel::Instant;

/// Keys named as candidates at most.
const NAMED: usize = 20;

/// What the next batch must follow.
#[derive(Debug)]
pub struct Link {
    shard: i16,
    seq: i64,
    epoch: i32,
    position: i64,
    recorded_at: Instant,
    /// The tips on which the next batch may have been built: two after one that does not hold (what it
    /// states, and what it should state), none after a gap.
    tips: Vec<Tip>,
}

/// What a batch holds.
pub struct Contents<'a> {
    /// Its events, as far as they are there.
    pub events: &'a [EventRow],
    /// Their schema and causation.
    pub rest: &'a [(i16, Option<i64>)],
    /// Its requests.
    pub requests: &'a [Request],
}

impl Link {
    /// Before the first batch.
    pub fn genesis(shard: i16) -> Self {
        Self { shard, seq: 0, epoch: 1, position: 0, recorded_at: Instant::MIN_UTC, tips: vec![chain::genesis(shard)] }
    }

    /// Checks the next batch and moves on to it.
    pub fn follow(&mut self, batch: &Batch, contents: &Contents<'_>, findings: &mut Findings) {
        let header = &batch.header;
        let subject = || Subject::Batch(header.seq);
        if header.seq != self.seq + 1 {
            let last = header.seq - 1;
            let range =
                if self.seq + 1 < last { format!("and all up to {last} are missing") } else { "is missing".to_owned() };
            findings.add(Rule::Batch, Subject::Batch(self.seq + 1), range);
            // What the missing one said cannot be known, so nothing can be asked of this one.
            self.tips.clear();
        }
        if let Some(detail) = self.order(batch, contents) {
            findings.add(Rule::Batch, subject(), detail);
        }
        let computed: Vec<Tip> = self.tips.iter().map(|tip| contents.tip(tip, batch)).collect();
        let holds = computed.is_empty() || computed.contains(&batch.tip);
        if !holds {
            findings.add(Rule::Chain, subject(), contents.candidates());
        }
        self.tips = vec![batch.tip];
        if !holds {
            self.tips.extend(computed);
        }
        (self.seq, self.epoch) = (header.seq, self.epoch.max(header.epoch));
        (self.position, self.recorded_at) = (header.last_position, header.recorded_at);
        debug_assert_eq!(header.shard, self.shard);
    }

    fn order(&self, batch: &Batch, contents: &Contents<'_>) -> Option<String> {
        let header = &batch.header;
        let is_recovery = header.flags & FLAG_RECOVERY != 0;
        if header.first_position != self.position + 1 {
            return Some(format!("begins at {}, the one before ends at {}", header.first_position, self.position));
        }
        if header.last_position < header.first_position - 1 {
            return Some(format!("ends at {} before it begins at {}", header.last_position, header.first_position));
        }
        if header.recorded_at < self.recorded_at {
            return Some("was recorded before the one before it".to_owned());
        }
        if header.epoch != self.epoch + i32::from(is_recovery) {
            return Some(format!(
                "is of epoch {}, after epoch {}{}",
                header.epoch,
                self.epoch,
                if is_recovery { " and a recovery" } else { "" }
            ));
        }
        if header.flags & !(FLAG_RECOVERY | FLAG_RESOLUTION) != 0 {
            return Some(format!("has flags {}, which nobody writes", header.flags));
        }
        let is_empty = contents.requests.is_empty() && header.last_position < header.first_position;
        if (header.flags == 0) == is_empty {
            return Some(if is_empty { "is empty and has no flag" } else { "has a flag and is not empty" }.to_owned());
        }
        None
    }
}

impl Contents<'_> {
    fn tip(&self, previous: &Tip, batch: &Batch) -> Tip {
        let events = self
            .events
            .iter()
            .zip(self.rest)
            .map(|(row, (schema, causation))| -> EventColumns<'_> { row.columns(*schema, *causation) });
        let requests = self.requests.iter().map(|row| RequestColumns {
            tenant: row.tenant,
            principal: row.principal,
            key: &row.key,
            fingerprint: &row.fingerprint,
            status: row.status,
            code: row.code.as_deref(),
            position: row.position,
        });
        chain::tip(previous, &batch.header, events, requests.collect())
    }

    /// A tip covers the whole batch; one of these rows is not what it was.
    fn candidates(&self) -> String {
        let mut rows = vec!["the batch's own row".to_owned()];
        if let (Some(first), Some(last)) = (self.events.first(), self.events.last()) {
            rows.push(format!("events {} to {}", first.recorded.position, last.recorded.position));
        }
        let keys = self.requests.iter().take(NAMED).map(|r| format!("{}/{}/{}", r.tenant, r.principal, r.key));
        let more = self.requests.len().saturating_sub(NAMED);
        if !self.requests.is_empty() {
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            rows.push(format!("requests {}{more}", keys.collect::<Vec<_>>().join(", ")));
        }
        format!("does not carry the tip of its rows; changed, added or removed was one of: {}", rows.join("; "))
    }
}

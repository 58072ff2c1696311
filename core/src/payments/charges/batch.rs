//! The batches of a terminal: what it counts between two closings.
//!
//! A batch is open until its closing is recorded, and then the next one is. Whatever counts names the batch that was open and expects it
//! to be open still, so nothing slips into one that closes, and what a closed batch holds never changes. Its report is added up from the
//! rows whenever it is asked for.

use super::create::check_seq;
use super::event::{self, BatchClosed, Sum, Tally};
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode, name};
use uuid::Uuid;

/// So many missing numbers are told of one closing.
pub const MISSING: usize = 100;

/// The stream of a terminal's batches.
pub fn stream(tenant: Uuid, terminal: Uuid) -> Uuid {
    name::natural_key(tenant, "terminal-batch", &[&terminal.to_string()])
}

/// The batches of a terminal, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batches {
    /// Their stream at its version: as many are closed.
    pub current: StreamVersion,
    closed: Vec<Recorded>,
}

/// A closed batch as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// What the terminal has counted.
    pub facts: BatchClosed,
    /// When.
    pub closed_at: Instant,
    /// Where in the log.
    pub position: i64,
    /// Up to which of its own numbers the batch before it came.
    pub seq_before: i64,
}

/// The report of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub number: i32,
    /// What we have counted, by asset.
    pub totals: Vec<Tally>,
    /// The last of the terminal's own numbers that came with anything.
    pub last_seq: i64,
    /// What the terminal says, once it is closed.
    pub closed: Option<Compared>,
}

/// How what a terminal has counted compares with what we have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What it has counted, and when.
    pub closed: Closed,
    /// Both say the same, and nothing is missing.
    pub is_balanced: bool,
    /// Numbers that it has used, and that never came here; the first [`MISSING`].
    pub missing: Vec<i64>,
    /// What came here under a number above the last that it knows of.
    pub unknown: Vec<String>,
}

impl Batches {
    /// Folds the stream.
    pub fn fold(stream: Uuid, events: Vec<Recorded>) -> Self {
        let closed: Vec<Recorded> = events.into_iter().filter(|event| event.kind == event::BATCH_CLOSED).collect();
        let version = closed.last().map_or(0, |last| last.version);
        Self { current: StreamVersion { stream, version }, closed }
    }

    /// The number of the batch that is open.
    pub fn open(&self) -> i32 {
        self.current.version + 1
    }

    /// A closed batch, by its number.
    pub fn closed(&self, number: i32) -> Option<Closed> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let recorded = self.closed.get(index)?;
        let before = index.checked_sub(1).and_then(|index| self.closed.get(index)?.says::<BatchClosed>());
        Some(Closed {
            facts: recorded.says()?,
            closed_at: recorded.recorded_at,
            position: recorded.position,
            seq_before: before.map_or(0, |before| before.last_seq),
        })
    }

    /// Decides a closing. The same one again is done already.
    pub fn close(&self, facts: &BatchClosed) -> Result<Decision, Refusal> {
        if facts.last_seq != 0 {
            check_seq(facts.last_seq)?;
        }
        let refuse =
            |detail: String| Ok(Decision::Refuse(Refusal::new(RefusalCode::InvalidState, detail), vec![self.current]));
        if let Some(closed) = self.closed(facts.number) {
            if closed.facts == *facts {
                let events = self.closed.iter().filter(|event| event.position == closed.position).cloned().collect();
                return Ok(Decision::Already(Applied { events, entries: Vec::new() }));
            }
            return refuse(format!("batch {} is closed, with other counts", facts.number));
        }
        if facts.number != self.open() {
            return refuse(format!("batch {} is open", self.open()));
        }
        let event = NewEvent::fact(self.current.stream, self.current.version, event::BATCH_CLOSED, facts);
        Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
    }
}

/// Compares what was counted. `seen` are the terminal's own numbers that came before the closing, after those of the batch before it.
pub fn compare(closed: Closed, totals: &[Tally], seen: &[(i64, String)]) -> Compared {
    let moved = |tallies: &[Tally]| {
        let is_moved =
            |tally: &&Tally| (tally.captures, tally.refunds, tally.reversals) != <(Sum, Sum, Sum)>::default();
        let mut moved: Vec<Tally> = tallies.iter().filter(is_moved).cloned().collect();
        moved.sort_by(|a, b| a.asset.cmp(&b.asset));
        moved
    };
    let last = closed.facts.last_seq;
    let missing = gaps(closed.seq_before, last, seen);
    let unknown: Vec<String> = seen.iter().filter(|(seq, _)| *seq > last).map(|(_, txid)| txid.clone()).collect();
    let is_same = moved(&closed.facts.counted) == moved(totals);
    Compared { is_balanced: is_same && missing.is_empty() && unknown.is_empty(), closed, missing, unknown }
}

/// The numbers after one up to another that nobody has seen. They may be far apart, so they are not all gone through.
fn gaps(after: i64, last: i64, seen: &[(i64, String)]) -> Vec<i64> {
    let mut missing = Vec::new();
    let mut next = after + 1;
    let ends = seen.iter().map(|(seq, _)| *seq).filter(|seq| *seq > after && *seq <= last);
    for seq in ends.chain([last + 1]) {
        let room = MISSING - missing.len();
        missing.extend((next..seq).take(room));
        next = next.max(seq + 1);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Minor;

    fn closed(last_seq: i64, seq_before: i64, counted: Vec<Tally>) -> Closed {
        let facts = BatchClosed { terminal: Uuid::nil(), number: 1, counted, last_seq };
        Closed { facts, closed_at: Instant::UNIX_EPOCH, position: 1, seq_before }
    }

    fn seen(numbers: &[i64]) -> Vec<(i64, String)> {
        numbers.iter().map(|seq| (*seq, format!("t{seq}"))).collect()
    }

    fn tally(asset: &str, count: i64, amount: i128) -> Tally {
        let captures = Sum { count, amount: Minor::new(amount) };
        Tally { asset: asset.into(), scale: 2, captures, ..Tally::default() }
    }

    #[test]
    fn numbers_that_never_came_are_missing_and_those_after_the_last_unknown() {
        assert_eq!(gaps(0, 5, &seen(&[1, 2, 4])), [3, 5]);
        assert_eq!(gaps(5, 5, &seen(&[])), Vec::<i64>::new());
        assert_eq!(gaps(2, 4, &seen(&[1, 3, 3, 4, 9])), Vec::<i64>::new());
        assert_eq!(gaps(0, (1 << 53) - 1, &seen(&[2])).len(), MISSING);
        let compared = compare(closed(3, 0, vec![]), &[], &seen(&[1, 2, 3, 4]));
        assert_eq!((compared.is_balanced, compared.missing.len(), compared.unknown.len()), (false, 0, 1));
    }

    #[test]
    fn counts_are_compared_by_asset_and_what_did_not_move_is_nothing() {
        let totals = [tally("BRL", 2, 300), tally("PTS", 0, 0)];
        assert!(compare(closed(1, 0, vec![tally("BRL", 2, 300)]), &totals, &seen(&[1])).is_balanced);
        assert!(!compare(closed(1, 0, vec![tally("BRL", 2, 301)]), &totals, &seen(&[1])).is_balanced);
        assert!(!compare(closed(1, 0, vec![]), &totals, &seen(&[1])).is_balanced);
    }

    #[test]
    fn a_batch_closes_once_and_in_its_turn() {
        let stream = Uuid::from_u128(1);
        let facts = |number, last_seq| BatchClosed { terminal: Uuid::nil(), number, counted: vec![], last_seq };
        let none = Batches::fold(stream, Vec::new());
        assert_eq!(none.open(), 1);
        assert!(matches!(none.close(&facts(2, 0)), Ok(Decision::Refuse(..))));
        let Ok(Decision::Propose(proposal)) = none.close(&facts(1, 7)) else { panic!() };
        let events: Vec<Recorded> =
            proposal.events.into_iter().map(|e| e.recorded(Uuid::nil(), Instant::UNIX_EPOCH)).collect();
        let one = Batches::fold(stream, events);
        assert_eq!((one.open(), one.closed(1).unwrap().facts.last_seq, one.closed(2)), (2, 7, None));
        assert!(matches!(one.close(&facts(1, 7)), Ok(Decision::Already(_))));
        assert!(
            matches!(one.close(&facts(1, 8)), Ok(Decision::Refuse(refusal, _)) if refusal.code == RefusalCode::InvalidState)
        );
        assert!(one.close(&facts(2, -1)).is_err());
    }
}

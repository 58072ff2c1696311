//! Reversals take back what their transaction moved, in the other direction, and no more.

use super::Audit;
use super::report::{Rule, Subject};
use crate::event_store::overlay::EventRow;
use crate::event_store::proposal::Recorded;
use crate::event_store::read;
use crate::ledger::event::{self, Moves, TransactionReversed};
use crate::ledger::reversal::Transaction;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Checks the reversals of a page. Originals may be years back, so their streams are read when needed.
pub(super) async fn check(audit: &mut Audit<'_>, rows: &[EventRow]) -> Result<(), sqlx::Error> {
    let reversals: Vec<&Recorded> =
        rows.iter().map(|row| &row.recorded).filter(|r| r.kind == event::TRANSACTION_REVERSED).collect();
    let streams: BTreeSet<Uuid> = reversals.iter().map(|r| r.stream).collect();
    if streams.is_empty() {
        return Ok(());
    }
    let streams: Vec<Uuid> = streams.into_iter().collect();
    let events = read::streams(audit.session, audit.shard, &streams).await?;
    for reversal in reversals {
        let first = events.partition_point(|e| e.stream < reversal.stream);
        let of_stream =
            events[first..].iter().take_while(|e| e.stream == reversal.stream && e.version <= reversal.version);
        let so_far: Vec<Recorded> = of_stream.cloned().collect();
        if let Err(detail) = judge(&so_far, reversal) {
            audit.findings.add(Rule::Reversal, Subject::Event(reversal.position), detail);
        }
    }
    Ok(())
}

fn judge(so_far: &[Recorded], reversal: &Recorded) -> Result<(), &'static str> {
    let original = Some(so_far)
        .filter(|events| !events.is_empty())
        .and_then(Transaction::fold)
        .ok_or("reverses what is not a transaction")?;
    let facts: TransactionReversed =
        serde_json::from_str(&reversal.payload).map_err(|_| "is no reversal that can be read")?;
    let back = serde_json::from_str::<Moves>(&reversal.payload).map_err(|_| "is no reversal that can be read")?.moves;
    if back.len() != facts.lines.len() {
        return Err("does not say which line each of its moves takes back");
    }
    for (line, (account, posted, ..)) in facts.lines.iter().zip(&back) {
        let Some(moved) = original.moves.get(usize::from(*line)) else {
            return Err("reverses a line that its transaction does not have");
        };
        if moved.0 != *account || moved.1.is_negative() == posted.is_negative() {
            return Err("does not move the money back");
        }
    }
    let exceeds =
        original.moves.iter().zip(&original.reversed).any(|(moved, reversed)| reversed.units() > moved.1.units().abs());
    if exceeds { Err("takes back more than its transaction moved") } else { Ok(()) }
}

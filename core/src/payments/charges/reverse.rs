//! A terminal takes a charge back: advice, and not a question. Whatever is known of it, it is taken down, and nothing of it can come
//! any more.
//!
//! ```text
//! nothing is known      a tombstone: who comes later finds it in the place where they would begin
//! created               reversed
//! authorised            reversed, and the payer's money is free
//! captured              while the terminal's batch is open: reversed, and every leg goes back;
//!                       once it is closed, or something was refunded, or the service has not got it any more: what is left is refunded
//! ```

use super::charge::{Charge, Slot, already};
use super::confirm::Drawn;
use super::create::{check_seq, check_txid};
use super::event::{self, ChargeReversed, RefundReason, ReversalReason, ReversalResult};
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Decision, Proposal};
use crate::kernel::{Minor, Refusal};
use crate::ledger::capture::released;
use crate::ledger::known::Known;
use crate::ledger::reversal::{self, Extent, Reverse, Transaction};
use uuid::Uuid;

/// What the refund of a reversal is called: there is one of a charge, and no terminal calls its own like that.
pub const REFUND_ID: &str = "reversal";

/// What a terminal takes back.
#[derive(Debug, Clone)]
pub struct Reversal {
    /// What it calls the charge.
    pub txid: String,
    /// Why.
    pub reason: ReversalReason,
    /// The terminal's own count of what it has asked.
    pub seq: i64,
}

impl Reversal {
    /// The one thing by which an advice is refused.
    pub fn check(&self) -> Result<(), Refusal> {
        check_txid(&self.txid, "/txid")?;
        check_seq(self.seq)
    }

    fn facts(&self, terminal: Uuid, result: ReversalResult, amount: Minor, drawn: &Drawn) -> ChargeReversed {
        let Self { txid, reason, seq } = self;
        let (txid, reason, seq, batch) = (txid.clone(), *reason, *seq, drawn.number());
        ChargeReversed { terminal, txid, reason, seq, result, amount, batch }
    }
}

/// The transactions that captured a charge, and an id for the reversal of each.
pub type Captured = Vec<(Transaction, Uuid)>;

/// Decides a reversal.
pub fn reverse(slot: &Slot, command: &Reversal, terminal: Uuid, captured: &Captured, drawn: &Drawn) -> Decision {
    let charge = match slot {
        Slot::Free(id) => {
            let facts = command.facts(terminal, ReversalResult::Tombstoned, Minor::ZERO, drawn);
            let events = vec![NewEvent::fact(*id, 0, event::CHARGE_REVERSED, &facts)];
            return Decision::Propose(Proposal { events, expects: vec![drawn.batch], ..Proposal::default() });
        }
        Slot::Tombstone(tombstone) => return already(&tombstone.recorded),
        Slot::Charge(charge) => charge,
    };
    if let Some((_, recorded)) = &charge.reversed {
        return already(recorded);
    }
    if charge.captured().is_zero() {
        return Decision::Propose(undo(charge, command, Vec::new(), drawn));
    }
    let refunded = refund_what_is_left(charge, command, drawn);
    let is_counted = charge.captures.iter().any(|(captured, _)| captured.batch != drawn.number());
    let legs = voids(captured);
    Decision::Propose(match legs {
        Some(legs) if !is_counted && charge.refunds.is_empty() && legs.len() == charge.captures.len() => {
            let otherwise = Some(Box::new(refunded));
            Proposal { otherwise, ..undo(charge, command, legs, drawn) }
        }
        _ => refunded,
    })
}

/// As if it had never been: what is held is free, and what was captured goes back leg by leg.
fn undo(charge: &Charge, command: &Reversal, legs: Vec<NewEvent>, drawn: &Drawn) -> Proposal {
    let facts = command.facts(charge.created.terminal, ReversalResult::Reversed, charge.captured(), drawn);
    let mut events = vec![NewEvent::fact(charge.id, charge.version, event::CHARGE_REVERSED, &facts)];
    events.extend(charge.open_hold().map(released));
    events.extend(legs);
    Proposal { events, expects: vec![drawn.batch], ..Proposal::default() }
}

/// The payer gets back what is left of it, from the service alone. Neither the refunds' window nor an approval stands in the way:
/// a terminal that never heard of a capture must be believed.
fn refund_what_is_left(charge: &Charge, command: &Reversal, drawn: &Drawn) -> Proposal {
    let left = charge.refundable();
    let facts = command.facts(charge.created.terminal, ReversalResult::RefundCreated, Minor::ZERO, drawn);
    let mut events = vec![NewEvent::fact(charge.id, charge.version, event::CHARGE_REVERSED, &facts)];
    events.extend(charge.open_hold().map(released));
    if !left.is_positive() {
        // All of it is on its way back already.
        return Proposal { events, expects: vec![drawn.batch], ..Proposal::default() };
    }
    charge.paying(REFUND_ID, left, RefundReason::Reversal, charge.version + 1, drawn).proposal(events, None, drawn)
}

/// What takes back all legs of the captures; `None` when something of them was taken back before.
fn voids(captured: &Captured) -> Option<Vec<NewEvent>> {
    let legs = captured.iter().map(|(original, reversal)| {
        let all = Reverse { transaction: original.id, reversal: *reversal, extent: Extent::All, description: None };
        match reversal::reverse(&all, original, &Known::default()) {
            Ok(Decision::Propose(proposal)) => Some(proposal.events),
            _ => None,
        }
    });
    legs.collect::<Option<Vec<_>>>().map(|legs| legs.into_iter().flatten().collect())
}

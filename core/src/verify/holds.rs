//! Holds folded by the product's own fold: within their amount, in their time, ended once.

use super::account::Moved;
use super::report::{Findings, Rule, Subject};
use crate::event_store::proposal::{Move, Recorded};
use crate::kernel::Minor;
use crate::ledger::capture;
use crate::ledger::event::{self, HoldCaptured, TransactionPosted};
use crate::ledger::hold::Hold;
use crate::ledger::placing::LONGEST_EXTENSION;
use std::collections::HashMap;
use uuid::Uuid;

/// The open holds. A hold that ended is forgotten, so what comes after it finds nothing.
#[derive(Debug, Default)]
pub struct Holds {
    open: HashMap<Uuid, Hold>,
    pending: Option<Pending>,
}

/// A capture whose transaction must be the very next event.
#[derive(Debug)]
struct Pending {
    position: i64,
    hold: Uuid,
    transaction: Uuid,
    moves: Vec<Moved>,
}

impl Pending {
    /// What a capture takes stands first. Behind it one leg may say where the money goes; a payment may divide it, but takes from its
    /// payer what the capture says, and that it all arrives the balance of the transaction says.
    fn is_moved_by(&self, event: &Recorded, moves: &[Moved]) -> bool {
        if !event.says::<TransactionPosted>().is_some_and(|facts| facts.is_bound) {
            return moves.starts_with(&self.moves) && moves.len() <= self.moves.len() + 1;
        }
        let is_same = |(taken, moved): (&Moved, &Moved)| {
            let as_taken = Moved { posted: taken.posted, ..*moved };
            as_taken == *taken && (moved.posted == taken.posted || (0..=taken.posted).contains(&moved.posted))
        };
        moves.len() >= self.moves.len() && self.moves.iter().zip(moves).all(is_same)
    }
}

impl Holds {
    /// Folds the next event, of any kind.
    pub fn event(&mut self, event: &Recorded, moves: &[Moved], findings: &mut Findings) {
        self.check_pending(Some((event, moves)), findings);
        self.pending = None;
        let told = match &*event.kind {
            event::HOLD_PLACED => self.place(event),
            event::HOLD_CAPTURED
            | event::HOLD_RELEASED
            | event::HOLD_EXPIRED
            | event::HOLD_EXTENDED
            | event::HOLD_INCREMENTED => self.evolve(event, moves),
            _ => Ok(()),
        };
        if let Err(detail) = told {
            findings.add(Rule::Hold, Subject::Event(event.position), detail);
        }
    }

    /// A capture and its transaction stand next to each other and say the same.
    pub fn check_pending(&self, next: Option<(&Recorded, &[Moved])>, findings: &mut Findings) {
        let posted = next.filter(|(event, _)| event.kind == event::TRANSACTION_POSTED);
        let captured = posted.and_then(|(event, moves)| Some((event, moves, event::captured_hold(&event.payload)?)));
        match (&self.pending, captured) {
            (None, None) => {}
            (None, Some((event, ..))) => findings.add(
                Rule::Hold,
                Subject::Event(event.position),
                "says that it captures, and no capture stands before it",
            ),
            (Some(pending), Some((event, moves, hold)))
                if event.stream == pending.transaction && hold == pending.hold && pending.is_moved_by(event, moves) => {
            }
            (Some(pending), _) => findings.add(
                Rule::Hold,
                Subject::Event(pending.position),
                "is not followed by the transaction that it says captured",
            ),
        }
    }

    fn place(&mut self, event: &Recorded) -> Result<(), &'static str> {
        let mut hold = Hold::fold(std::slice::from_ref(event)).ok_or("is no hold that can be read")?;
        // What folding does not need would only take memory.
        hold.placed.description = None;
        hold.placed.metadata.clear();
        match self.open.insert(hold.id, hold) {
            None => Ok(()),
            Some(_) => Err("places a hold that is open already"),
        }
    }

    fn evolve(&mut self, event: &Recorded, moves: &[Moved]) -> Result<(), &'static str> {
        let hold = self
            .open
            .get_mut(&event.stream)
            .ok_or("is of a hold that is not open: it ended before, or was never placed")?;
        let is_late = event.recorded_at >= hold.expires_at;
        let (captured, ends) = match &*event.kind {
            event::HOLD_CAPTURED => {
                let facts: HoldCaptured =
                    serde_json::from_str(&event.payload).map_err(|_| "is no capture that can be read")?;
                let ends = facts.ends;
                (Some(facts), ends)
            }
            kind => (None, matches!(kind, event::HOLD_RELEASED | event::HOLD_EXPIRED)),
        };
        let told = match &captured {
            Some(facts) => {
                within(hold, facts).and(if is_late { Err("captures a hold that had expired") } else { Ok(()) })
            }
            None if event.kind == event::HOLD_EXPIRED && !is_late => Err("expires a hold before its time"),
            None if ends && moves != returned(hold) => Err("does not return what was left of the hold"),
            None if !ends && is_late => Err("changes a hold that had expired"),
            None => Ok(()),
        };
        self.pending = captured.as_ref().map(|facts| Pending {
            position: event.position,
            hold: hold.id,
            transaction: facts.transaction,
            moves: (0..hold.lines.len())
                .filter_map(|line| capture::taken(hold, line, amount(facts, line), ends))
                .map(|m| moved(&m))
                .collect(),
        });
        let is_read = hold.evolve(&event.kind, &event.payload).is_some();
        hold.captures.clear();
        let is_long = hold.expires_at - hold.placed.expires_at > LONGEST_EXTENSION;
        if ends {
            self.open.remove(&event.stream);
        }
        told?;
        match (is_read, is_long) {
            (false, _) => Err("cannot be read as what happened to its hold"),
            (_, true) => Err("extends its hold beyond what is allowed"),
            _ => Ok(()),
        }
    }
}

/// Σ captures ≤ hold, plus its tolerance on the last one.
fn within(hold: &Hold, facts: &HoldCaptured) -> Result<(), &'static str> {
    for (line, amount) in &facts.lines {
        if usize::from(*line) >= hold.lines.len() {
            return Err("captures a line that its hold does not have");
        }
        if *amount > capture::allowed(hold, *line, facts.ends) {
            return Err("captures more than its hold has left");
        }
    }
    Ok(())
}

fn amount(facts: &HoldCaptured, line: usize) -> Minor {
    facts.lines.iter().find(|(l, _)| usize::from(*l) == line).map_or(Minor::ZERO, |(_, amount)| *amount)
}

fn returned(hold: &Hold) -> Vec<Moved> {
    (0..hold.lines.len()).filter_map(|line| capture::taken(hold, line, Minor::ZERO, true)).map(|m| moved(&m)).collect()
}

/// What a capture or release proposes, as its event states it; beyond 64 bits it equals nothing that was stored.
fn moved(proposed: &Move) -> Moved {
    let number = |minor: Minor| i64::try_from(minor.units()).unwrap_or(i64::MIN);
    Moved {
        account: proposed.account,
        posted: number(proposed.posted),
        held: number(proposed.held),
        incoming: number(proposed.incoming),
    }
}

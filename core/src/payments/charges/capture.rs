//! What a terminal does with an authorisation: captures from it, or gives it up. Both end at the hold, where its expiry does, too.

use super::charge::{Charge, already, cancelled, expired, reversed};
use super::confirm::Drawn;
use super::create::malformed;
use super::event::{self, ChargeCancelled, ChargeCaptured};
use crate::event_store::proposal::{EntryKind, NewEvent};
use crate::event_store::{Decision, Proposal};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use crate::ledger::capture as ledger;
use crate::ledger::event::{HOLD_CAPTURED, HoldCaptured};
use crate::ledger::hold::{Hold, Line};
use crate::ledger::placing::hold_event;
use crate::ledger::transaction::{self, to_payload};
use crate::payments::posting;
use uuid::Uuid;

/// What a terminal captures.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Decimal text, and of what; without them all that is left.
    pub amount: Option<(String, String)>,
    /// Nothing more will be captured: what remains goes back to the payer.
    pub is_final: bool,
}

impl Charge {
    /// Decides a capture.
    pub fn capture(&self, command: &Capture, drawn: &Drawn) -> Result<Decision, Refusal> {
        if let Some((_, asset)) = &command.amount {
            self.check_asset(asset)?;
        }
        let hold = match self.held() {
            Ok(hold) => hold,
            Err(refusal) => return Ok(self.refuse(refusal)),
        };
        let scale = self.created.scale;
        let amount = match &command.amount {
            Some((text, _)) => transaction::amount(text, scale, "/amount/amount")?,
            None => hold.lines.first().map_or(Minor::ZERO, Line::remaining),
        };
        let left = ledger::allowed(hold, 0, command.is_final);
        if amount > left {
            let detail = format!("{} can be captured", left.to_text(scale));
            return Ok(self.refuse(Refusal::new(RefusalCode::CaptureExceedsHold, detail).at("/amount")));
        }
        let Some(parts) = self.created.terms.divide(self.created.service.account, amount) else {
            return Err(malformed("the amount is below what others are paid out of it", "/amount"));
        };
        let is_final = command.is_final || amount >= left;
        Ok(Decision::Propose(Proposal {
            events: self.captured_events(hold, amount, is_final, &parts, drawn),
            expects: vec![drawn.batch],
            until: Some(end(hold)),
            ..Proposal::default()
        }))
    }

    /// The ledger's capture of the whole hold's line, of which the others are paid. The hold's fact and its transaction stand next to
    /// each other, as they do in the ledger.
    fn captured_events(
        &self,
        hold: &Hold,
        amount: Minor,
        is_final: bool,
        parts: &[(Uuid, Minor)],
        drawn: &Drawn,
    ) -> Vec<NewEvent> {
        let Drawn { transaction, .. } = *drawn;
        let facts = ChargeCaptured { transaction, amount, is_final, batch: drawn.number() };
        let captured = NewEvent::fact(self.id, self.version, event::CHARGE_CAPTURED, &facts);
        let lines = (0..).zip(&hold.lines).map(|(line, _)| (line, amount)).collect();
        let from_hold = HoldCaptured { transaction, lines, ends: is_final };
        let from_hold = to_payload(&from_hold);
        let taken = (0..hold.lines.len()).filter_map(|line| ledger::taken(hold, line, amount, is_final)).collect();
        let moves = posting::captured_from_hold(taken, parts, self.created.service.account);
        vec![
            captured,
            hold_event(hold.id, hold.version, HOLD_CAPTURED, from_hold, EntryKind::Capture, Vec::new()),
            posting::bound_transaction(transaction, self.id, Some(hold.id), moves),
        ]
    }

    /// Decides that it is given up. What was captured before stays captured.
    pub fn cancel(&self) -> Decision {
        if self.reversed.is_some() {
            return self.refuse(reversed());
        }
        if let Some(cancelled) = &self.cancelled {
            return already(cancelled);
        }
        let facts = ChargeCancelled { captured: self.captured() };
        let mut events = vec![NewEvent::fact(self.id, self.version, event::CHARGE_CANCELLED, &facts)];
        let until = match self.held() {
            Ok(hold) => {
                events.push(ledger::released(hold));
                end(hold)
            }
            Err(_) if self.authorised.is_none() => {
                (self.expires_at(), expired("the time to confirm this charge is over"))
            }
            Err(refusal) => return self.refuse(refusal),
        };
        Decision::Propose(Proposal { events, until: Some(until), ..Proposal::default() })
    }

    /// The open hold, or why there is none.
    fn held(&self) -> Result<&Hold, Refusal> {
        match (&self.authorised, self.open_hold()) {
            _ if self.reversed.is_some() => Err(reversed()),
            (Some(_), Some(hold)) => Ok(hold),
            (Some(_), None) => Err(self.hold_is_over()),
            (None, _) if self.cancelled.is_some() => Err(cancelled()),
            (None, _) => Err(Refusal::new(RefusalCode::InvalidState, "nobody has confirmed the charge")),
        }
    }
}

/// When an authorisation ends by itself: the hold's clock writes that down, and nobody waits for it.
fn end(hold: &Hold) -> (Instant, Refusal) {
    (hold.expires_at, expired("the authorisation has expired"))
}

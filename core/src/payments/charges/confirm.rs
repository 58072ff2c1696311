//! That a payer wants it: by their device and PIN now, or by a mandate that they gave before.

use super::charge::{Charge, cancelled, expired, hold_stream, reversed};
use super::event::{self, CaptureMode, ChargeAuthorised, ChargeCaptured};
use crate::event_store::proposal::{Count, EntryKind, NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal};
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::ledger::event::{HOLD_PLACED, HoldPlaced};
use crate::ledger::placing::hold_event;
use crate::ledger::transaction::to_payload;
use crate::payments::event::Party;
use crate::payments::limits;
use crate::payments::posting;
use uuid::Uuid;

/// Who pays, and by what that is known.
#[derive(Debug, Clone, Copy)]
pub struct Consent {
    /// Who pays, from which account.
    pub payer: Party,
    /// By what.
    pub by: Means,
    /// About when.
    pub now: Instant,
}

/// What a payer has consented by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Their device, which signed what it showed.
    Device(Uuid),
    /// A mandate.
    Mandate(Uuid),
}

/// What else the writer holds a confirmation against: the payer's limits, or their mandate.
#[derive(Debug, Default)]
pub struct Bounds {
    /// What is counted.
    pub counts: Vec<Count>,
    /// What this was decided on.
    pub expects: Vec<StreamVersion>,
    /// Not before.
    pub from: Option<(Instant, Refusal)>,
    /// Not at or after; the charge ends by itself besides.
    pub until: Option<(Instant, Refusal)>,
}

impl From<limits::Against> for Bounds {
    fn from(against: limits::Against) -> Self {
        Self { counts: against.counts, expects: vec![against.expects], from: against.from, until: None }
    }
}

/// Ids that the service draws, and the batch of the terminal that is open.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    /// Whose data it is.
    pub tenant: Uuid,
    /// Of the transaction that moves the money.
    pub transaction: Uuid,
    /// The stream of the terminal's batches as it is: its version is how many are closed.
    pub batch: StreamVersion,
}

impl Drawn {
    /// The number of the batch that is open.
    pub fn number(&self) -> i32 {
        self.batch.version + 1
    }
}

impl Charge {
    /// Whether it can be confirmed, as far as its stream says; the rest is the writer's.
    pub fn check_open(&self) -> Result<(), Refusal> {
        match &self.hold {
            _ if self.reversed.is_some() => Err(reversed()),
            _ if self.authorised.is_none() && self.cancelled.is_some() => Err(cancelled()),
            None if self.authorised.is_none() => Ok(()),
            Some(_) if self.captures.is_empty() && self.open_hold().is_none() => Err(self.hold_is_over()),
            _ => Err(Refusal::new(RefusalCode::ChargeAlreadyPaid, "this charge was confirmed before")),
        }
    }

    /// Decides a confirmation.
    pub fn confirm(&self, consent: &Consent, bounds: Bounds, drawn: &Drawn) -> Decision {
        if let Err(refusal) = self.check_open() {
            return self.refuse(refusal);
        }
        let parts = self.created.terms.divide(self.created.service.account, self.created.amount);
        let Some(parts) = parts.filter(|parts| parts.iter().all(|(account, _)| *account != consent.payer.account))
        else {
            return self.refuse(Refusal::new(RefusalCode::InvalidState, "the payer is who is paid"));
        };
        let is_over = (self.expires_at(), expired("the time to confirm this charge is over"));
        let until = match bounds.until {
            Some(earlier) if earlier.0 < is_over.0 => earlier,
            _ => is_over,
        };
        let mut expects = bounds.expects;
        let events = match self.created.capture {
            CaptureMode::Manual => self.hold_back(consent, drawn),
            CaptureMode::Auto => {
                expects.push(drawn.batch);
                self.capture_at_once(consent, &parts, drawn)
            }
        };
        Decision::Propose(Proposal {
            events,
            expects,
            until: Some(until),
            from: bounds.from,
            counts: bounds.counts,
            ..Proposal::default()
        })
    }

    fn authorised(&self, consent: &Consent, hold: Option<Uuid>) -> NewEvent {
        let (device, mandate) = match consent.by {
            Means::Device(device) => (Some(device), None),
            Means::Mandate(mandate) => (None, Some(mandate)),
        };
        let facts = ChargeAuthorised { payer: consent.payer, device, mandate, hold };
        NewEvent::fact(self.id, self.version, event::CHARGE_AUTHORISED, &facts)
    }

    fn hold_back(&self, consent: &Consent, drawn: &Drawn) -> Vec<NewEvent> {
        let hold = hold_stream(drawn.tenant, self.id);
        let terms = &self.created.terms;
        let facts = HoldPlaced {
            expires_at: terms.held_until(consent.now),
            over_capture_percent: terms.over_capture_percent,
            payment: Some(self.id),
            description: None,
            metadata: crate::kernel::Metadata::new(),
        };
        let moves = posting::held(consent.payer, self.created.service.account, self.created.amount);
        let placed = hold_event(hold, 0, HOLD_PLACED, to_payload(&facts), EntryKind::Hold, moves);
        vec![self.authorised(consent, Some(hold)), placed]
    }

    fn capture_at_once(
        &self,
        consent: &Consent,
        parts: &[(Uuid, crate::kernel::Minor)],
        drawn: &Drawn,
    ) -> Vec<NewEvent> {
        let (transaction, amount) = (drawn.transaction, self.created.amount);
        let facts = ChargeCaptured { transaction, amount, is_final: true, batch: drawn.number() };
        let captured = NewEvent::fact(self.id, self.version + 1, event::CHARGE_CAPTURED, &facts);
        let moves = posting::captured(consent.payer, parts, amount);
        let transaction = posting::bound_transaction(transaction, self.id, None, moves);
        vec![self.authorised(consent, None), captured, transaction]
    }
}

//! What goes back to a payer after it was captured, in parts or whole.
//!
//! A refund counts from the commit that asks for it, so that refunds at the same moment together never exceed what was captured. It
//! succeeds in that very commit, unless the service is short of money or the payer's account does not take any: then a job tries
//! again until it does ([`super::refunder`]).

use super::charge::{Charge, Refund, RefundStatus, already, reversed};
use super::confirm::Drawn;
use super::create::check_txid;
use super::event::{self, RefundFailed, RefundReason, RefundRequested, RefundSucceeded};
use crate::event_store::overlay::id_taken;
use crate::event_store::personal::{Ask, Change};
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Decision, Proposal};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use crate::ledger::transaction;
use crate::payments::posting;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of the jobs that follow refunds.
pub const REFUND: &str = "refund-charge";

/// What the job of a refund says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Follow {
    pub tenant: Uuid,
    pub charge: Uuid,
    pub refund: String,
}

/// What a terminal wants to give back.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// What it calls it.
    pub id: String,
    /// Decimal text.
    pub amount: String,
    /// Of what.
    pub asset: String,
    /// Why.
    pub reason: RefundReason,
}

/// The events of a refund behind others of the same commit, and what it is called.
pub(super) struct Paying {
    /// It is asked for.
    pub requested: NewEvent,
    /// And the money goes back at once.
    pub succeeded: [NewEvent; 2],
    /// Or a job follows it.
    pub follow: Change,
}

impl Charge {
    /// Decides a refund. What takes an approval is refused and not kept, because it may be approved later.
    pub fn give_back(&self, command: &NewRefund, drawn: &Drawn) -> Result<Decision, Refusal> {
        check_txid(&command.id, "/refund_id")?;
        self.check_asset(&command.asset)?;
        let amount = transaction::amount(&command.amount, self.created.scale, "/amount/amount")?;
        if let Some(Refund { requested, recorded, .. }) = self.refund(&command.id) {
            let is_same = requested.amount == amount && requested.reason == command.reason;
            let taken = || Decision::Refuse(Refusal { place: None, ..id_taken() }, Vec::new());
            return Ok(if is_same { already(recorded) } else { taken() });
        }
        if let Err(refusal) = self.check_refundable(amount) {
            return Ok(self.refuse(refusal));
        }
        let before = self.captured().minus(self.refundable());
        if self.created.terms.approval_above.is_some_and(|most| before.plus(amount) > most) {
            let detail = "refunds of this charge that are together so high need an approval";
            return Err(Refusal::new(RefusalCode::ApprovalRequired, detail));
        }
        let window = self.window_closes();
        let paying = self.paying(&command.id, amount, command.reason, self.version, drawn);
        Ok(Decision::Propose(paying.proposal(Vec::new(), window, drawn)))
    }

    fn check_refundable(&self, amount: Minor) -> Result<(), Refusal> {
        match &self.reversed {
            Some(_) => Err(reversed()),
            None if self.captures.is_empty() => {
                Err(Refusal::new(RefusalCode::InvalidState, "nothing of the charge was captured"))
            }
            None if amount > self.refundable() => {
                let detail = format!("{} can be refunded", self.refundable().to_text(self.created.scale));
                Err(Refusal::new(RefusalCode::RefundExceedsCaptured, detail).at("/amount"))
            }
            None => Ok(()),
        }
    }

    fn window_closes(&self) -> Option<(Instant, Refusal)> {
        let (_, captured_at) = self.captures.last()?;
        let detail = format!("a charge can be refunded for {} days", self.created.terms.refund_days);
        Some((self.created.terms.refundable_until(*captured_at), Refusal::new(RefusalCode::RefundWindowClosed, detail)))
    }

    /// The events of a refund, the first of them at a version of the charge's stream.
    pub(super) fn paying(
        &self,
        refund: &str,
        amount: Minor,
        reason: RefundReason,
        version: i32,
        drawn: &Drawn,
    ) -> Paying {
        let requested = RefundRequested { refund: refund.to_owned(), amount, reason, batch: drawn.number() };
        let follow = Follow { tenant: drawn.tenant, charge: self.id, refund: refund.to_owned() };
        let key = format!("{}:{refund}", self.id);
        // A struct of ids and texts always serialises.
        let payload = serde_json::to_string(&follow).unwrap_or_default();
        Paying {
            requested: NewEvent::fact(self.id, version, event::REFUND_REQUESTED, &requested),
            succeeded: self.succeeded(refund, amount, version + 1, drawn.transaction),
            follow: Change { asks: vec![Ask { kind: REFUND, key, payload }], ..Change::default() },
        }
    }

    fn succeeded(&self, refund: &str, amount: Minor, version: i32, transaction: Uuid) -> [NewEvent; 2] {
        let facts = RefundSucceeded { refund: refund.to_owned(), amount, transaction };
        // Whoever refunds has captured, and so knows whom from.
        let payer = self.payer().unwrap_or(crate::payments::Party { holder: Uuid::nil(), account: Uuid::nil() });
        let moves = posting::refunded(self.created.service.account, payer, amount);
        let fact = NewEvent::fact(self.id, version, event::REFUND_SUCCEEDED, &facts);
        [fact, posting::bound_transaction(transaction, self.id, None, moves)]
    }

    /// Decides another try of a refund that is on its way.
    pub fn pay_refund(&self, refund: &str, transaction: Uuid) -> Option<Decision> {
        let Refund { requested, recorded, status } = self.refund(refund)?;
        if *status != RefundStatus::Processing {
            return Some(already(recorded));
        }
        let events = self.succeeded(refund, requested.amount, self.version, transaction).into();
        Some(Decision::Propose(Proposal { events, ..Proposal::default() }))
    }

    /// Decides that it is given up.
    pub fn fail_refund(&self, refund: &str, why: RefusalCode, drawn: &Drawn) -> Option<Decision> {
        let Refund { requested, recorded, status } = self.refund(refund)?;
        if *status != RefundStatus::Processing {
            return Some(already(recorded));
        }
        let facts = RefundFailed {
            refund: refund.to_owned(),
            amount: requested.amount,
            why: why.as_str().to_owned(),
            batch: drawn.number(),
        };
        let events = vec![NewEvent::fact(self.id, self.version, event::REFUND_FAILED, &facts)];
        Some(Decision::Propose(Proposal { events, expects: vec![drawn.batch], ..Proposal::default() }))
    }
}

impl Paying {
    /// Behind what comes before it: the money goes back at once, or otherwise a job sees to it.
    pub fn proposal(self, before: Vec<NewEvent>, until: Option<(Instant, Refusal)>, drawn: &Drawn) -> Proposal {
        let Self { requested, succeeded, follow } = self;
        let mut later = before;
        later.push(requested);
        let mut at_once = later.clone();
        at_once.extend(succeeded);
        let later = Proposal {
            events: later,
            expects: vec![drawn.batch],
            until: until.clone(),
            personal: Some(Box::new(follow)),
            ..Proposal::default()
        };
        Proposal {
            events: at_once,
            expects: vec![drawn.batch],
            until,
            otherwise: Some(Box::new(later)),
            ..Proposal::default()
        }
    }
}

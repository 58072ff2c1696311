//! A withdrawal: asked for, approved by its owner, then paid or rejected by the bank. Pure; signatures and PINs are judged before.

use super::{Direction, Order};
use crate::event_store::proposal::{Move, NewEvent, StreamVersion};
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::ledger::returns::Returns;
use crate::payments::confirm::{Confirm, OPEN_FOR};
use crate::payments::event::{
    self, Rejection, WithdrawalApproved, WithdrawalPaid, WithdrawalRejected, WithdrawalRequested,
};
use crate::payments::limits::Limits;
use crate::payments::posting;
use crate::payments::said::Said;
use serde::Serialize;
use uuid::Uuid;

/// Where a withdrawal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its owner was told, and has not said yes.
    RequiresConfirmation,
    /// Nobody said yes in time.
    Expired,
    /// The amount is put aside, and on its way.
    Approved,
    /// The bank paid.
    Paid,
    /// The bank did not, and the amount is back.
    Rejected,
}

impl Status {
    /// As it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresConfirmation => "requires_confirmation",
            Self::Expired => "expired",
            Self::Approved => "approved",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
        }
    }
}

/// How a withdrawal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The money is out of being.
    Paid(WithdrawalPaid, Instant),
    /// It is back.
    Rejected(WithdrawalRejected, Instant),
}

/// The accounts of the system that a withdrawal passes.
#[derive(Debug, Clone, Copy)]
pub struct Passes {
    /// What is on its way out.
    pub withdrawals: Uuid,
    /// What backs the asset.
    pub issued: Uuid,
}

/// A withdrawal folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Its stream.
    pub id: Uuid,
    /// What its owner was told.
    pub requested: WithdrawalRequested,
    /// When.
    pub requested_at: Instant,
    /// What put the amount aside, and when.
    pub approved: Option<(WithdrawalApproved, Instant)>,
    /// What became of it outside.
    pub ended: Option<Ended>,
    last: Recorded,
}

/// Decides a request. The id was drawn by the service.
pub fn request(id: Uuid, asked: &WithdrawalRequested) -> Decision {
    let event = NewEvent { fresh: true, ..NewEvent::fact(id, 0, event::WITHDRAWAL_REQUESTED, asked) };
    Decision::Propose(Proposal { events: vec![event], ..Proposal::default() })
}

impl Withdrawal {
    /// Folds a stream; `None` when it is not a withdrawal's. What this version does not know changes nothing.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        if first.kind != event::WITHDRAWAL_REQUESTED {
            return None;
        }
        let mut folded = Self {
            id: first.stream,
            requested: first.says()?,
            requested_at: first.recorded_at,
            approved: None,
            ended: None,
            last: last.clone(),
        };
        for recorded in &events[1..] {
            let at = recorded.recorded_at;
            match &*recorded.kind {
                event::WITHDRAWAL_APPROVED => folded.approved = Some((recorded.says()?, at)),
                event::WITHDRAWAL_PAID => folded.ended = Some(Ended::Paid(recorded.says()?, at)),
                event::WITHDRAWAL_REJECTED => folded.ended = Some(Ended::Rejected(recorded.says()?, at)),
                _ => {}
            }
        }
        Some(folded)
    }

    /// From then on it can be approved no more.
    pub fn expires_at(&self) -> Instant {
        self.requested_at + OPEN_FOR
    }

    /// Where it is at an instant.
    pub fn status(&self, now: Instant) -> Status {
        match (&self.ended, &self.approved) {
            (Some(Ended::Paid(..)), _) => Status::Paid,
            (Some(Ended::Rejected(..)), _) => Status::Rejected,
            (None, Some(_)) => Status::Approved,
            (None, None) if now >= self.expires_at() => Status::Expired,
            (None, None) => Status::RequiresConfirmation,
        }
    }

    /// The bytes that the owner's device signs. Nobody else is paid, so the payee is the withdrawal itself.
    pub fn said(&self) -> Vec<u8> {
        let WithdrawalRequested { asset, scale, amount, nonce, .. } = &self.requested;
        Said { intent: self.id, payee: self.id, amount: *amount, scale: *scale, asset, nonce }.bytes()
    }

    /// What is to happen outside.
    pub fn order(&self) -> Order {
        let WithdrawalRequested { amount, scale, asset, .. } = &self.requested;
        Order { id: self.id, direction: Direction::Out, amount: *amount, scale: *scale, asset: asset.clone() }
    }

    /// Decides an approval by a device that has proven itself, together with the job that follows it outside.
    pub fn approve(
        &self,
        tenant: Uuid,
        transaction: Uuid,
        withdrawals: Uuid,
        (limits, returns): (&Limits, &Returns),
        by: &Confirm,
    ) -> Decision {
        let current = StreamVersion { stream: self.id, version: self.last.version };
        if self.approved.is_some() {
            let refusal = Refusal::new(RefusalCode::ChargeAlreadyPaid, "this withdrawal was confirmed before");
            return Decision::Refuse(refusal, vec![current]);
        }
        let WithdrawalRequested { owner, amount, .. } = &self.requested;
        let against = match by.against(limits, current, owner.account, *amount) {
            Ok(against) => against,
            Err((refusal, seen)) => return Decision::Refuse(refusal, seen.into()),
        };
        let on_its_way = match returns.with(self.id) {
            Ok(on_its_way) => on_its_way,
            Err((refusal, seen)) => return Decision::Refuse(refusal, vec![current, seen]),
        };
        let facts = WithdrawalApproved { transaction, device: by.device.id };
        let moves = posting::put_aside(*owner, withdrawals, *amount);
        let is_over = Refusal::new(RefusalCode::ChargeExpired, "the time to confirm this withdrawal is over");
        Decision::Propose(Proposal {
            events: self.and_moves(event::WITHDRAWAL_APPROVED, &facts, transaction, moves, Some(on_its_way)),
            expects: vec![against.expects],
            until: Some((self.expires_at(), is_over)),
            from: against.from,
            counts: against.counts,
            personal: Some(Box::new(super::follow(tenant, self.id))),
            ..Proposal::default()
        })
    }

    /// Decides that the bank paid.
    pub fn pay(&self, transaction: Uuid, reference: String, passes: Passes, returns: &Returns) -> Decision {
        let moves = posting::paid_out(passes.withdrawals, passes.issued, self.requested.amount);
        let facts = WithdrawalPaid { transaction, reference };
        self.end(|| self.and_moves(event::WITHDRAWAL_PAID, &facts, transaction, moves, returns.without(self.id)))
    }

    /// Decides that it did not.
    pub fn reject(&self, transaction: Uuid, reason: Rejection, passes: Passes, returns: &Returns) -> Decision {
        let moves = posting::given_back(passes.withdrawals, self.requested.owner, self.requested.amount);
        let facts = WithdrawalRejected { transaction, reason };
        self.end(|| self.and_moves(event::WITHDRAWAL_REJECTED, &facts, transaction, moves, returns.without(self.id)))
    }

    /// One that ended before stays as it ended, whoever comes second.
    fn end(&self, events: impl FnOnce() -> Vec<NewEvent>) -> Decision {
        if self.ended.is_some() {
            return Decision::Already(Applied { events: vec![self.last.clone()], entries: Vec::new() });
        }
        Decision::Propose(Proposal { events: events(), ..Proposal::default() })
    }

    /// The fact, beside it what it moves, as replays look for it; and what it says of the owner's account.
    fn and_moves(
        &self,
        kind: &'static str,
        says: &impl Serialize,
        transaction: Uuid,
        moves: Vec<Move>,
        returns: Option<NewEvent>,
    ) -> Vec<NewEvent> {
        let fact = NewEvent::fact(self.id, self.last.version, kind, says);
        let posting = posting::transaction(transaction, self.id, moves);
        [fact, posting].into_iter().chain(returns).collect()
    }
}

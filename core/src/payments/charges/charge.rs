//! A charge as its stream and its hold's tell it. Pure.
//!
//! What became of an authorisation is what the hold's own stream says, because the hold ends by itself when its time is over, and
//! whoever captures or cancels meets that end there.

use super::create::malformed;
use super::event::{
    self, ChargeAuthorised, ChargeCaptured, ChargeCreated, ChargeReversed, RefundFailed, RefundRequested,
    RefundSucceeded, ReversalResult,
};
use crate::event_store::proposal::StreamVersion;
use crate::event_store::{Applied, Decision, Recorded};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode, name};
use crate::ledger::hold::{Hold, State};
use crate::payments::said::Said;
use chrono::TimeDelta;
use uuid::Uuid;

/// Where a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It can be confirmed.
    Created,
    /// Its payer's money is held, and maybe a part of it captured.
    Authorised,
    /// The money moved.
    Captured,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// It was given up before anything was captured.
    Cancelled,
    /// Its time was over before anything was captured.
    Expired,
    /// It is as if it had never been.
    Reversed,
}

impl Status {
    /// As it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }
}

/// What the stream of a terminal's txid says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// Nothing was ever said of it.
    Free(Uuid),
    /// It was reversed before it arrived, and never begins.
    Tombstone(Box<Tombstone>),
    /// A charge.
    Charge(Box<Charge>),
}

/// A reversal that came before its original, or instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// What it says.
    pub reversed: ChargeReversed,
    /// As it stands in the log.
    pub recorded: Recorded,
}

/// Where a refund is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStatus {
    /// It counts, and is tried until it succeeds or fails.
    Processing,
    /// The money went back.
    Succeeded(RefundSucceeded),
    /// It could not.
    Failed(RefundFailed),
}

impl RefundStatus {
    /// As it is answered.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Succeeded(_) => "succeeded",
            Self::Failed(_) => "failed",
        }
    }
}

/// One refund of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// What was asked for.
    pub requested: RefundRequested,
    /// As it stands in the log.
    pub recorded: Recorded,
    /// What became of it.
    pub status: RefundStatus,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its stream.
    pub id: Uuid,
    /// What its terminal asked for.
    pub created: ChargeCreated,
    /// When.
    pub created_at: Instant,
    /// As that stands in the log.
    pub recorded: Recorded,
    /// Who confirmed it, and when.
    pub authorised: Option<(ChargeAuthorised, Instant)>,
    /// What holds the payer's money.
    pub hold: Option<Hold>,
    /// What was captured, and when.
    pub captures: Vec<(ChargeCaptured, Instant)>,
    /// That it was given up, as it stands in the log.
    pub cancelled: Option<Recorded>,
    /// That it was taken back, and as it stands in the log.
    pub reversed: Option<(ChargeReversed, Recorded)>,
    /// What goes back, in the order in which it was asked for.
    pub refunds: Vec<Refund>,
    /// How many events its stream has.
    pub version: i32,
}

/// The stream of what a terminal calls by a txid: of the charge, or of the reversal that came first.
pub fn stream(tenant: Uuid, terminal: Uuid, txid: &str) -> Uuid {
    name::natural_key(tenant, "charge", &[&terminal.to_string(), txid])
}

/// The stream of a charge's hold: known before there is one, so that both are read together.
pub fn hold_stream(tenant: Uuid, charge: Uuid) -> Uuid {
    name::natural_key(tenant, "charge-hold", &[&charge.to_string()])
}

impl Slot {
    /// Folds the events of both streams; `None` when they are no charge's.
    pub fn fold(id: Uuid, events: &[Recorded]) -> Option<Self> {
        let (own, held): (Vec<_>, Vec<_>) = events.iter().cloned().partition(|event| event.stream == id);
        let Some(first) = own.first() else { return Some(Self::Free(id)) };
        if first.kind == event::CHARGE_REVERSED {
            let tombstone = Tombstone { reversed: first.says()?, recorded: first.clone() };
            return Some(Self::Tombstone(Box::new(tombstone)));
        }
        let mut charge = Charge::begin(first)?;
        for event in &own[1..] {
            charge.evolve(event)?;
        }
        charge.hold = Hold::fold(&held);
        Some(Self::Charge(Box::new(charge)))
    }

    /// The charge; a tombstone is none, and says so.
    pub fn charge(self) -> Result<Charge, Refusal> {
        match self {
            Self::Charge(charge) => Ok(*charge),
            Self::Tombstone(_) => Err(reversed()),
            Self::Free(_) => Err(Refusal::new(RefusalCode::NotFound, "there is no such charge")),
        }
    }
}

impl Charge {
    fn begin(first: &Recorded) -> Option<Self> {
        if first.kind != event::CHARGE_CREATED {
            return None;
        }
        Some(Self {
            id: first.stream,
            created: first.says()?,
            created_at: first.recorded_at,
            recorded: first.clone(),
            authorised: None,
            hold: None,
            captures: Vec::new(),
            cancelled: None,
            reversed: None,
            refunds: Vec::new(),
            version: first.version,
        })
    }

    /// Takes one more event of its stream; `None` when it cannot be read. What this version does not know changes nothing.
    fn evolve(&mut self, event: &Recorded) -> Option<()> {
        self.version = event.version;
        match &*event.kind {
            event::CHARGE_AUTHORISED => self.authorised = Some((event.says()?, event.recorded_at)),
            event::CHARGE_CAPTURED => self.captures.push((event.says()?, event.recorded_at)),
            event::CHARGE_CANCELLED => self.cancelled = Some(event.clone()),
            event::CHARGE_REVERSED => self.reversed = Some((event.says()?, event.clone())),
            event::REFUND_REQUESTED => {
                let (requested, recorded) = (event.says()?, event.clone());
                self.refunds.push(Refund { requested, recorded, status: RefundStatus::Processing });
            }
            event::REFUND_SUCCEEDED => {
                let facts: RefundSucceeded = event.says()?;
                let refund = self.refund_mut(&facts.refund)?;
                refund.status = RefundStatus::Succeeded(facts);
            }
            event::REFUND_FAILED => {
                let facts: RefundFailed = event.says()?;
                let refund = self.refund_mut(&facts.refund)?;
                refund.status = RefundStatus::Failed(facts);
            }
            _ => {}
        }
        Some(())
    }

    fn refund_mut(&mut self, id: &str) -> Option<&mut Refund> {
        self.refunds.iter_mut().find(|refund| refund.requested.refund == id)
    }

    /// A refund of it, by what the terminal calls it.
    pub fn refund(&self, id: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.requested.refund == id)
    }

    /// Refuses an amount of something else.
    pub(super) fn check_asset(&self, asset: &str) -> Result<(), Refusal> {
        if asset == self.created.asset {
            return Ok(());
        }
        Err(malformed(&format!("the charge is in {}", self.created.asset), "/amount/asset"))
    }

    /// From then on it can be confirmed no more.
    pub fn expires_at(&self) -> Instant {
        self.created_at + TimeDelta::seconds(i64::from(self.created.open_seconds))
    }

    /// Where it is at an instant.
    pub fn status(&self, now: Instant) -> Status {
        if self.is_undone() {
            return Status::Reversed;
        }
        if self.open_hold().is_some_and(|hold| now < hold.expires_at) {
            return Status::Authorised;
        }
        let (captured, refunded) = (self.captured(), self.refunded());
        match () {
            () if captured.is_positive() && refunded == captured => Status::Refunded,
            () if refunded.is_positive() => Status::PartiallyRefunded,
            () if captured.is_positive() => Status::Captured,
            () if self.cancelled.is_some() => Status::Cancelled,
            () if self.authorised.is_some() || now >= self.expires_at() => Status::Expired,
            () => Status::Created,
        }
    }

    /// The hold, as long as nothing has ended it but maybe its time.
    pub fn open_hold(&self) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| hold.state == State::Open)
    }

    /// Who pays.
    pub fn payer(&self) -> Option<crate::payments::Party> {
        self.authorised.as_ref().map(|(authorised, _)| authorised.payer)
    }

    /// What was captured, and not whether it went back.
    pub fn captured(&self) -> Minor {
        self.captures.iter().fold(Minor::ZERO, |sum, (captured, _)| sum.plus(captured.amount))
    }

    /// What went back by refunds.
    pub fn refunded(&self) -> Minor {
        self.refunds_that(|status| matches!(status, RefundStatus::Succeeded(_)))
    }

    /// What may still be refunded: a refund counts from when it was asked for until it failed.
    pub fn refundable(&self) -> Minor {
        let counted = self.refunds_that(|status| !matches!(status, RefundStatus::Failed(_)));
        if self.is_undone() { Minor::ZERO } else { self.captured().minus(counted) }
    }

    fn refunds_that(&self, count: impl Fn(&RefundStatus) -> bool) -> Minor {
        let counted = self.refunds.iter().filter(|refund| count(&refund.status));
        counted.fold(Minor::ZERO, |sum, refund| sum.plus(refund.requested.amount))
    }

    /// Taken back as if it had never been; what is refunded instead was captured all the same.
    fn is_undone(&self) -> bool {
        self.reversed.as_ref().is_some_and(|(reversed, _)| reversed.result == ReversalResult::Reversed)
    }

    /// The bytes that the payer's device signs: the canonical JSON of what they were told, and nothing they were not.
    pub fn said(&self) -> Vec<u8> {
        let ChargeCreated { service, asset, scale, amount, nonce, .. } = &self.created;
        Said { intent: self.id, payee: service.id, amount: *amount, scale: *scale, asset, nonce }.bytes()
    }

    /// Where a decision about it was made: on its own stream, and on its hold's if it has one.
    pub fn current(&self) -> Vec<StreamVersion> {
        let own = StreamVersion { stream: self.id, version: self.version };
        let held = self.hold.as_ref().map(|hold| StreamVersion { stream: hold.id, version: hold.version });
        std::iter::once(own).chain(held).collect()
    }

    pub(super) fn refuse(&self, refusal: Refusal) -> Decision {
        Decision::Refuse(refusal, self.current())
    }

    /// What the hold's end says to whoever comes after it.
    pub(super) fn hold_is_over(&self) -> Refusal {
        match self.hold.as_ref().map(|hold| hold.state) {
            Some(State::Expired | State::Open) => expired("the authorisation has expired"),
            _ if self.cancelled.is_some() => cancelled(),
            _ => Refusal::new(RefusalCode::InvalidState, "the charge was captured"),
        }
    }
}

pub(super) fn reversed() -> Refusal {
    Refusal::new(RefusalCode::ChargeReversed, "this charge was reversed")
}

pub(super) fn cancelled() -> Refusal {
    Refusal::new(RefusalCode::InvalidState, "the charge was cancelled")
}

pub(super) fn expired(detail: &str) -> Refusal {
    Refusal::new(RefusalCode::ChargeExpired, detail)
}

/// What was done before is answered again, and not done.
pub(super) fn already(recorded: &Recorded) -> Decision {
    Decision::Already(Applied { events: vec![recorded.clone()], entries: Vec::new() })
}

//! A top-up: asked for, then credited or over. Pure.

use super::{Direction, Order};
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::payments::event::{self, Stranding, TopUpCredited, TopUpRequested, TopUpUnclaimed};
use crate::payments::posting;
use chrono::TimeDelta;
use uuid::Uuid;

/// Where a top-up is. What an adapter has not begun is no fact, so `created` is never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its owner was told what to do outside.
    AwaitingFunds,
    /// The money is on the account.
    Credited,
    /// Nothing came in time.
    Expired,
    /// It came when it could be nobody's here any more.
    Unclaimed,
}

impl Status {
    /// As it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingFunds => "awaiting_funds",
            Self::Credited => "credited",
            Self::Expired => "expired",
            Self::Unclaimed => "unclaimed",
        }
    }
}

/// A top-up folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// Its stream.
    pub id: Uuid,
    /// What its owner was told.
    pub requested: TopUpRequested,
    /// When.
    pub requested_at: Instant,
    /// What moved the money, and when, once it came.
    pub credited: Option<(TopUpCredited, Instant)>,
    /// Why it could not be put on the account that it was for, once it came all the same.
    pub stranded: Option<Stranding>,
    last: Recorded,
}

/// Decides a request, together with the job that follows it.
pub fn request(id: Uuid, tenant: Uuid, asked: &TopUpRequested) -> Decision {
    let events = vec![NewEvent::fact(id, 0, event::TOPUP_REQUESTED, asked)];
    let personal = Some(Box::new(super::follow(tenant, id)));
    Decision::Propose(Proposal { events, personal, ..Proposal::default() })
}

impl TopUp {
    /// Folds a stream; `None` when it is not a top-up's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        if first.kind != event::TOPUP_REQUESTED {
            return None;
        }
        let mut folded = Self {
            id: first.stream,
            requested: first.says()?,
            requested_at: first.recorded_at,
            credited: None,
            stranded: None,
            last: last.clone(),
        };
        for recorded in &events[1..] {
            match &*recorded.kind {
                event::TOPUP_CREDITED => folded.credited = Some((recorded.says()?, recorded.recorded_at)),
                event::TOPUP_UNCLAIMED => folded.stranded = Some(recorded.says::<TopUpUnclaimed>()?.because),
                _ => {}
            }
        }
        Some(folded)
    }

    /// From then on nothing is credited any more.
    pub fn expires_at(&self) -> Instant {
        self.requested_at + TimeDelta::seconds(i64::from(self.requested.open_seconds))
    }

    /// Where it is at an instant.
    pub fn status(&self, now: Instant) -> Status {
        match self.credited {
            Some(_) => Status::Credited,
            None if self.stranded.is_some() => Status::Unclaimed,
            None if now >= self.expires_at() => Status::Expired,
            None => Status::AwaitingFunds,
        }
    }

    /// What is to happen outside.
    pub fn order(&self) -> Order {
        let TopUpRequested { amount, scale, asset, .. } = &self.requested;
        Order { id: self.id, direction: Direction::In, amount: *amount, scale: *scale, asset: asset.clone() }
    }

    /// Decides that the money came. `transaction` was drawn by the caller, `issued` is what backs the asset.
    pub fn credit(&self, transaction: Uuid, issued: Uuid) -> Decision {
        if let Some(ended) = self.ended() {
            return ended;
        }
        let facts = TopUpCredited { transaction };
        let credited = NewEvent::fact(self.id, self.last.version, event::TOPUP_CREDITED, &facts);
        let moves = posting::top_up(issued, self.requested.owner, self.requested.amount);
        let is_over = Refusal::new(RefusalCode::ChargeExpired, "the time in which money was waited for is over");
        Decision::Propose(Proposal {
            events: vec![credited, posting::transaction(transaction, self.id, moves)],
            until: Some((self.expires_at(), is_over)),
            ..Proposal::default()
        })
    }

    /// Decides that the money came and can be nobody's here any more. It moves nothing: none of it came into being.
    pub fn strand(&self, because: Stranding) -> Decision {
        if let Some(ended) = self.ended() {
            return ended;
        }
        let says = TopUpUnclaimed { because };
        let events = vec![NewEvent::fact(self.id, self.last.version, event::TOPUP_UNCLAIMED, &says)];
        Decision::Propose(Proposal { events, ..Proposal::default() })
    }

    /// One that ended before stays as it ended, whoever comes second.
    fn ended(&self) -> Option<Decision> {
        let is_over = self.credited.is_some() || self.stranded.is_some();
        is_over.then(|| Decision::Already(Applied { events: vec![self.last.clone()], entries: Vec::new() }))
    }
}

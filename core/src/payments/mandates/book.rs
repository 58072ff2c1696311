//! The mandates of a person folded from their stream, and what may become of them. Pure; signatures and PINs are judged before.

use super::event::{
    MANDATE_ACTIVATED, MANDATE_REQUESTED, MANDATE_REVOKED, MandateActivated, MandateRequested, MandateRevoked,
};
use crate::event_store::proposal::{Count, NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::window::{Period, Window};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode, name};
use crate::payments::confirm::OPEN_FOR;
use chrono_tz::Tz;
use serde::Serialize;
use uuid::Uuid;

/// So many somebody has at most that are active or asked for.
const AT_MOST: usize = 20;

/// Where a mandate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its owner was told, and has not consented.
    Requested,
    /// It covers payments, since then.
    Active(Instant),
    /// It covers none any more, since then.
    Revoked(Instant),
}

/// A consent to pay a service without a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// What its owner was told.
    pub says: MandateRequested,
    /// When.
    pub requested_at: Instant,
    /// Where it is.
    pub state: State,
}

/// A person's mandates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandates {
    /// The oldest first.
    pub all: Vec<Mandate>,
    at: StreamVersion,
}

/// What a payment by mandate has to be held against.
#[derive(Debug, Clone)]
pub struct Covered {
    /// The mandate.
    pub mandate: Uuid,
    /// The mandates that this was decided on: one that was revoked meanwhile covers nothing.
    pub expects: StreamVersion,
    /// What is used of the cap.
    pub count: Count,
}

/// In the order of RFC 8785.
#[derive(Serialize)]
struct Canonical<'a> {
    amount: &'a str,
    asset: &'a str,
    intent_id: Uuid,
    nonce: &'a str,
    payee: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_payment: Option<&'a str>,
    period: Period,
}

impl Mandate {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.says.mandate
    }

    /// From then on it can be confirmed no more.
    pub fn expires_at(&self) -> Instant {
        self.requested_at + OPEN_FOR
    }

    /// As it is answered: `requested`, `expired`, `active` or `revoked`.
    pub fn status(&self, now: Instant) -> &'static str {
        match self.state {
            State::Requested if now >= self.expires_at() => "expired",
            State::Requested => "requested",
            State::Active(_) => "active",
            State::Revoked(_) => "revoked",
        }
    }

    /// The bytes that its owner's device signs: the canonical JSON of what they were told, and nothing they were not.
    pub fn said(&self) -> Vec<u8> {
        let MandateRequested { service, asset, scale, cap, per_payment, period, nonce, .. } = &self.says;
        let (cap, per_payment) = (cap.to_text(*scale), per_payment.map(|amount| amount.to_text(*scale)));
        let said = Canonical {
            amount: &cap,
            asset,
            intent_id: self.id(),
            nonce,
            payee: *service,
            per_payment: per_payment.as_deref(),
            period: *period,
        };
        // Plain texts and ids always serialise; each is ASCII, so that this order and this form are canonical.
        serde_json::to_vec(&said).unwrap_or_default()
    }

    /// Whether an amount of a service may be paid by it, but for what was used of the cap.
    fn covers(&self, service: Uuid, asset: &str, amount: Minor) -> bool {
        let MandateRequested { service: own, asset: of, cap, per_payment, .. } = &self.says;
        let most = per_payment.unwrap_or(*cap).min(*cap);
        matches!(self.state, State::Active(_)) && *own == service && of == asset && amount <= most
    }
}

impl Mandates {
    /// The stream of a person's mandates.
    pub fn stream(tenant: Uuid, holder: Uuid) -> Uuid {
        name::natural_key(tenant, "mandates", &[&holder.to_string()])
    }

    /// Folds it; a person who never had one has none. `None` where a payload cannot be read.
    pub fn fold(stream: Uuid, events: &[Recorded]) -> Option<Self> {
        let mut mandates = Self { all: Vec::new(), at: StreamVersion { stream, version: 0 } };
        for event in events {
            let at = event.recorded_at;
            mandates.at.version = event.version;
            match &*event.kind {
                MANDATE_REQUESTED => {
                    mandates.all.push(Mandate { says: event.says()?, requested_at: at, state: State::Requested });
                }
                MANDATE_ACTIVATED => {
                    let MandateActivated { mandate, .. } = event.says()?;
                    mandates.set(mandate, State::Active(at));
                }
                MANDATE_REVOKED => {
                    let MandateRevoked { mandate } = event.says()?;
                    mandates.set(mandate, State::Revoked(at));
                }
                // Kinds of later versions change nothing that this one knows.
                _ => {}
            }
        }
        Some(mandates)
    }

    fn set(&mut self, mandate: Uuid, state: State) {
        if let Some(one) = self.all.iter_mut().find(|one| one.id() == mandate) {
            one.state = state;
        }
    }

    /// One of them.
    pub fn get(&self, mandate: Uuid) -> Option<&Mandate> {
        self.all.iter().find(|one| one.id() == mandate)
    }

    /// Decides one more.
    pub fn request(&self, says: &MandateRequested, now: Instant) -> Decision {
        let counts = |one: &&Mandate| matches!(one.status(now), "requested" | "active");
        if self.all.iter().filter(counts).count() >= AT_MOST {
            let detail = format!("there are {AT_MOST} mandates; revoke one of them first");
            return self.refuse(Refusal::new(RefusalCode::InvalidState, detail));
        }
        self.record(MANDATE_REQUESTED, says, None)
    }

    /// Decides a consent by a device that has proven itself.
    pub fn activate(&self, mandate: &Mandate, device: Uuid) -> Decision {
        if mandate.state != State::Requested {
            return self
                .refuse(Refusal::new(RefusalCode::InvalidState, "this mandate was confirmed or revoked before"));
        }
        let is_over = Refusal::new(RefusalCode::ChargeExpired, "the time to confirm this mandate is over");
        let until = Some((mandate.expires_at(), is_over));
        self.record(MANDATE_ACTIVATED, &MandateActivated { mandate: mandate.id(), device }, until)
    }

    /// Decides that one of them covers nothing any more.
    pub fn revoke(&self, mandate: &Mandate) -> Decision {
        self.record(MANDATE_REVOKED, &MandateRevoked { mandate: mandate.id() }, None)
    }

    /// The mandate that covers a payment, if one does: the newest.
    pub fn covering(&self, service: Uuid, asset: &str, amount: Minor) -> Option<&Mandate> {
        self.all.iter().rev().find(|one| one.covers(service, asset, amount))
    }

    /// What a payment by a mandate has to be held against, or why it is not covered by it, and the mandates that this was seen in.
    pub fn cover(
        &self,
        mandate: Uuid,
        (service, asset, amount): (Uuid, &str, Minor),
        zone: Tz,
    ) -> Result<Covered, (Refusal, StreamVersion)> {
        let refuse = |code, detail: String| Err((Refusal::new(code, detail).at("/mandate"), self.at));
        let Some(one) = self.get(mandate) else {
            return refuse(RefusalCode::InvalidState, "there is no such mandate".to_owned());
        };
        let MandateRequested { payer, scale, cap, period, .. } = &one.says;
        if !matches!(one.state, State::Active(_)) {
            return refuse(RefusalCode::InvalidState, "the mandate is not active".to_owned());
        }
        if one.says.service != service || one.says.asset != asset {
            return refuse(RefusalCode::InvalidState, "the mandate is of another service".to_owned());
        }
        if !one.covers(service, asset, amount) {
            let most = one.says.per_payment.unwrap_or(*cap).min(*cap).to_text(*scale);
            return refuse(RefusalCode::LimitExceeded, format!("the limit per payment by this mandate is {most}"));
        }
        let window = Window::Mandate { mandate: mandate.to_string(), period: *period };
        let count = Count { account: payer.account, window, zone, delta: amount, maximum: *cap };
        Ok(Covered { mandate, expects: self.at, count })
    }

    fn record(&self, kind: &'static str, says: &impl Serialize, until: Option<(Instant, Refusal)>) -> Decision {
        let event = NewEvent::fact(self.at.stream, self.at.version, kind, says);
        Decision::Propose(Proposal { events: vec![event], until, ..Proposal::default() })
    }

    fn refuse(&self, refusal: Refusal) -> Decision {
        Decision::Refuse(refusal, vec![self.at])
    }
}

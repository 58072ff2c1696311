//! Mandates as they are answered.

use super::{Money, Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::{Instant, Minor};
use vintem_core::payments::mandates::event::{MandateActivated, MandateRequested};
use vintem_core::payments::mandates::{Mandate as Folded, State};

/// A consent to pay a service without a PIN.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mandate {
    /// Its id: `intent_id` of what is signed.
    pub id: Uuid,
    /// `requested`, `active`, `revoked` or `expired`.
    #[schema(example = "requested")]
    pub status: &'static str,
    /// The service: `payee` of what is signed.
    pub service_id: Uuid,
    /// As it was called when you were asked.
    #[schema(example = "Ônibus Centro")]
    pub label: String,
    /// How much in each period: `amount` and `asset` of what is signed.
    pub cap: Money,
    /// How much at once; absent is as much as the cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_payment: Option<Money>,
    /// `day`, `week` or `month`, in the institution's time zone.
    #[schema(example = "week")]
    pub period: String,
    /// When it was asked for.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub requested_at: String,
    /// What makes the signature good for this mandate alone, while it can be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "kWmVYqSg9zMPmFtpX1wIYA")]
    pub nonce: Option<String>,
    /// From then on it cannot be confirmed, while it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:10:00.000000Z")]
    pub expires_at: Option<String>,
    /// Since when it covers payments, or none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:01:00.000000Z")]
    pub since: Option<String>,
}

/// A mandate that was consented to now.
#[derive(Debug, Serialize, ToSchema)]
pub struct MandateConsent {
    /// Its id.
    pub id: Uuid,
    /// `active`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// Since when it covers payments.
    #[schema(example = "2026-03-01T12:01:00.000000Z")]
    pub since: String,
}

/// A person's mandates.
#[derive(Debug, Serialize, ToSchema)]
pub struct MandateList {
    /// The oldest first.
    pub mandates: Vec<Mandate>,
}

impl Mandate {
    /// In answer to its request.
    pub(super) fn requested(recorded: &Recorded) -> Result<Self, Unreadable> {
        let says: MandateRequested = facts(recorded)?;
        let folded = Folded { says, requested_at: recorded.recorded_at, state: State::Requested };
        Ok(Self::standing(&folded, recorded.recorded_at))
    }

    /// As it stands.
    pub fn standing(folded: &Folded, now: Instant) -> Self {
        let says = folded.says.clone();
        let money = |amount: Minor| Money { amount: amount.to_text(says.scale), asset: says.asset.clone() };
        let is_open = folded.status(now) == "requested";
        let since = match folded.state {
            State::Requested => None,
            State::Active(at) | State::Revoked(at) => Some(time(at)),
        };
        Self {
            id: folded.id(),
            status: folded.status(now),
            service_id: says.service,
            cap: money(says.cap),
            per_payment: says.per_payment.map(money),
            period: says.period.as_str().to_owned(),
            requested_at: time(folded.requested_at),
            nonce: is_open.then_some(says.nonce),
            expires_at: is_open.then(|| time(folded.expires_at())),
            since,
            label: says.label,
        }
    }
}

impl MandateConsent {
    /// Of the event that said so.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let MandateActivated { mandate, .. } = facts(recorded)?;
        Ok(Self { id: mandate, status: "active", since: time(recorded.recorded_at) })
    }
}

//! What happened to a citizen's account, and to what they prove themselves with, reduced to what is theirs.
//!
//! Two sources, both found by indexes and merged by position: the account's entries; and the streams that are about the account,
//! the limits, the citizen and the sessions. The stream of the holder is none of them: that somebody of the back office looked at
//! a person is not told to that person by the ledger, because an investigation would be.

use crate::answer::{Balance, time};
use crate::citizens::{citizen, of};
use crate::context::Context;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::citizens::event as citizens;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::Minor;
use vintem_core::ledger::event as ledger;
use vintem_core::ledger::known::{Identity, Known};
use vintem_core::ledger::touching::{Followed, Touch};
use vintem_core::ledger::view::{self, Others};
use vintem_core::payments::event::LIMITS_CHANGED;
use vintem_core::payments::limits::Limits;

/// Something that happened to your account, or to what you prove yourself with. Members that say nothing of a kind are absent.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnEvent {
    /// Its place in the log, and what a stream goes on from.
    #[schema(example = 1024)]
    pub position: i64,
    /// What happened.
    #[schema(example = "transaction.posted")]
    pub kind: String,
    /// When it was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    recorded_at: String,
    /// The transaction that was posted or reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Uuid>,
    /// The hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Uuid>,
    /// The payment that moved the money.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<Uuid>,
    /// The account of the other side, when there is one and no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    counterparty: Option<Uuid>,
    /// What it changed of your total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "-12.50")]
    amount: Option<String>,
    /// What it changed of what is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "12.50")]
    held: Option<String>,
    /// Your balances after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Balance>,
    /// What your account is from then on: `open`, `frozen` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "frozen")]
    status: Option<String>,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Uuid>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Uuid>,
    /// Which secret was changed: `password` or `pin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pin")]
    secret: Option<String>,
    /// Which contact was changed: `email` or `phone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "phone")]
    contact: Option<String>,
    /// Why a session ended: `signed-out` or `reuse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "reuse")]
    because: Option<String>,
}

/// The members of payloads that are shown, of all kinds.
#[derive(Default, Deserialize)]
struct Facts {
    payment: Option<Uuid>,
    hold: Option<Uuid>,
    status: Option<String>,
    device: Option<Uuid>,
    what: Option<String>,
    contact: Option<String>,
    because: Option<String>,
}

/// Kinds of the second source that are told. Whatever else may come to stand in these streams is not, until it is here.
const TOLD: [&str; 13] = [
    ledger::ACCOUNT_OPENED,
    ledger::ACCOUNT_CHANGED,
    LIMITS_CHANGED,
    citizens::CITIZEN_REGISTERED,
    citizens::CITIZEN_DEVICE_ADDED,
    citizens::CITIZEN_DEVICE_REMOVED,
    citizens::CITIZEN_RECOVERED,
    citizens::CITIZEN_RESET,
    citizens::CITIZEN_SECRET_CHANGED,
    citizens::CITIZEN_PIN_LOCKED,
    citizens::CITIZEN_CONTACT_CHANGED,
    citizens::CITIZEN_SIGNED_IN,
    citizens::CITIZEN_SESSION_ENDED,
];

/// What is followed for the citizen who asks.
pub async fn followed(context: &Context, identity: &Identity) -> Result<Followed, Problem> {
    let (holder, _) = citizen(context)?;
    let mut streams = context.app.citizens.streams(of(context), holder).await?;
    streams.extend([identity.id, Limits::stream(context.actor.origin.tenant, holder)]);
    Ok(Followed { id: identity.id, number: identity.number, streams })
}

impl OwnEvent {
    /// Of what touched an account, for its owner; `None` when it is not told.
    pub fn of(touch: &Touch, own: &Identity, known: &Known) -> Option<Self> {
        let event = &touch.event;
        if touch.entry.is_none() && !TOLD.contains(&&*event.kind) {
            return None;
        }
        // A payload that says none of it, or is not to be read, leaves the members away.
        let facts: Facts = serde_json::from_str(&event.payload).unwrap_or_default();
        let is = |prefix: &str| event.kind.starts_with(prefix).then_some(event.stream);
        let is_session = matches!(&*event.kind, citizens::CITIZEN_SIGNED_IN | citizens::CITIZEN_SESSION_ENDED);
        let entry = touch.entry.as_ref();
        Some(Self {
            position: event.position,
            kind: event.kind.to_string(),
            recorded_at: time(event.recorded_at),
            transaction: is("transaction."),
            hold: is("hold.").or(facts.hold),
            payment: facts.payment,
            counterparty: entry.and_then(|_| counterparty(event, own.id, known)),
            amount: entry.map(|entry| entry.amount.to_text(own.scale)),
            held: entry.and_then(|_| held(event, own)),
            balance: entry.map(|entry| Balance::after(entry, own.scale)),
            status: facts.status,
            device: facts.device,
            session: is_session.then_some(event.stream),
            secret: facts.what,
            contact: facts.contact,
            because: facts.because,
        })
    }
}

fn counterparty(event: &Recorded, own: Uuid, known: &Known) -> Option<Uuid> {
    match view::others(event, own, known) {
        Others::Counterparty(account) => Some(account),
        Others::Nobody | Others::Several => None,
    }
}

/// What an event changed of what is held on an account, unless nothing.
fn held(event: &Recorded, own: &Identity) -> Option<String> {
    let moved = view::moves(event).into_iter().find(|(account, ..)| *account == own.id);
    moved.map(|(_, _, held, _)| held).filter(|held: &Minor| !held.is_zero()).map(|held| held.to_text(own.scale))
}

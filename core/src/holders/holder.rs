//! A holder: registered once, erased at most once. Pure; keys come from outside.

use super::details::{Details, Private};
use super::error::HolderError;
use super::event::{self, HolderContactChanged, HolderErased, HolderRegistered};
use crate::event_store::personal::{Ask, Change, Claim, Digest};
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::messages::Contact;
use crate::secrets::people::{DataKey, Place};
use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

/// The kind of look-up row under which a CPF is found.
pub const CPF: &str = "cpf";
/// The job that destroys a key until it is destroyed.
pub const ERASE: &str = "erase-person";
/// After so long no process of a live system holds the key.
const LIVE: TimeDelta = TimeDelta::seconds(60);
/// So long backups of the keys are kept.
const BACKUPS: TimeDelta = TimeDelta::days(7);

/// A holder folded from their stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Their stream.
    pub id: Uuid,
    /// When they were registered.
    pub registered_at: Instant,
    /// What is known of them, sealed.
    pub sealed: HolderRegistered,
    /// Set once nobody may be told anything of them.
    pub erased: Option<Erased>,
    last: Recorded,
}

/// When an erasure is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// When it was recorded; from then on nobody is shown anything.
    pub at: Instant,
    /// When no live system holds the key any more.
    pub live_by: Instant,
    /// When no backup holds it any more.
    pub backups_by: Instant,
}

impl Erased {
    /// Of an erasure that was recorded at an instant.
    pub fn recorded(at: Instant) -> Self {
        Self { at, live_by: at + LIVE, backups_by: at + BACKUPS }
    }
}

impl Holder {
    /// How many events its stream has.
    pub fn version(&self) -> i32 {
        self.last.version
    }

    /// Folds a stream; `None` when it is not a holder's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        if first.kind != event::HOLDER_REGISTERED {
            return None;
        }
        let mut sealed: HolderRegistered = first.says()?;
        for changed in events.iter().filter(|recorded| recorded.kind == event::HOLDER_CONTACT_CHANGED) {
            let HolderContactChanged { email, phone } = changed.says()?;
            sealed.email = email.or(sealed.email);
            sealed.phone = phone.or(sealed.phone);
        }
        let erased = (last.kind == event::HOLDER_ERASED).then(|| Erased::recorded(last.recorded_at));
        Some(Self { id: first.stream, registered_at: first.recorded_at, sealed, erased, last: last.clone() })
    }

    /// Decides that they are reached by another contact, which they have proven to be theirs.
    pub fn reached_by(&self, tenant: Uuid, key: &DataKey, contact: &Contact) -> NewEvent {
        let seal = |field, text: &str| Some(key.seal(&Place { tenant, stream: self.id, field }, text.as_bytes()));
        let says = match contact {
            Contact::Email(text) => HolderContactChanged { email: seal("email", text), phone: None },
            Contact::Phone(text) => HolderContactChanged { email: None, phone: seal("phone", text) },
        };
        NewEvent::fact(self.id, self.last.version, event::HOLDER_CONTACT_CHANGED, &says)
    }

    /// Opens what is known of them.
    pub fn open(&self, tenant: Uuid, key: &DataKey) -> Result<Details, HolderError> {
        let open = |field, sealed: &str| {
            let bytes = key.open(&Place { tenant, stream: self.id, field }, sealed);
            let bytes = bytes.map_err(|_| HolderError::Unreadable)?;
            std::str::from_utf8(&bytes).map(|text| Private::new(text.to_owned())).map_err(|_| HolderError::Unreadable)
        };
        Ok(Details {
            name: open("name", &self.sealed.name)?,
            email: self.sealed.email.as_deref().map(|sealed| open("email", sealed)).transpose()?,
            phone: self.sealed.phone.as_deref().map(|sealed| open("phone", sealed)).transpose()?,
            cpf: open("cpf", &self.sealed.cpf)?.parse().map_err(|_| HolderError::Unreadable)?,
        })
    }
}

/// Decides a registration: facts sealed under the person's key, and the CPF claimed by its digests.
pub fn register(tenant: Uuid, id: Uuid, details: &Details, key: &DataKey, digests: Vec<Digest>) -> Decision {
    let seal = |field, text: &str| key.seal(&Place { tenant, stream: id, field }, text.as_bytes());
    let facts = HolderRegistered {
        name: seal("name", &details.name),
        email: details.email.as_ref().map(|text| seal("email", text)),
        phone: details.phone.as_ref().map(|text| seal("phone", text)),
        cpf: seal("cpf", details.cpf.digits()),
    };
    let claim = Claim { owner: id, kind: CPF, digests, taken: taken() };
    let event = NewEvent { fresh: true, ..NewEvent::fact(id, 0, event::HOLDER_REGISTERED, &facts) };
    let change = Change { claims: vec![claim], ..Change::default() };
    Decision::Propose(Proposal { events: vec![event], personal: Some(Box::new(change)), ..Proposal::default() })
}

/// The refusal of a second holder with one CPF.
pub fn taken() -> Refusal {
    Refusal::new(RefusalCode::AlreadyRegistered, "a holder with this CPF is registered").at("/cpf")
}

/// What stands against an erasure, as other contexts see it: a stream that must still be as it was seen, or the refusal.
pub type Unless = Result<StreamVersion, (Refusal, StreamVersion)>;

/// Decides an erasure. One that was done before is answered like the first time.
pub fn erase(holder: &Holder, tenant: Uuid, requested_by: Uuid, unless: Unless) -> Decision {
    if holder.erased.is_some() {
        return Decision::Already(Applied { events: vec![holder.last.clone()], entries: Vec::new() });
    }
    let expected = match unless {
        Ok(expected) => expected,
        Err((refusal, seen)) => return Decision::Refuse(refusal, vec![seen]),
    };
    let event = NewEvent::fact(holder.id, holder.last.version, event::HOLDER_ERASED, &HolderErased { requested_by });
    // A struct of ids always serialises.
    let payload = serde_json::to_string(&Erasure { tenant, person: holder.id }).unwrap_or_default();
    let ask = Ask { kind: ERASE, key: holder.id.to_string(), payload };
    let change = Change { frees: vec![holder.id], asks: vec![ask], ..Change::default() };
    let (events, personal) = (vec![event], Some(Box::new(change)));
    Decision::Propose(Proposal { events, personal, expects: vec![expected], ..Proposal::default() })
}

/// What the job of an erasure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Erasure {
    /// Whose holder.
    pub tenant: Uuid,
    /// The holder.
    pub person: Uuid,
}

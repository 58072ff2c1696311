//! Another contact: a code to the new one, the device's signature and the PIN, and word to the one before.
//!
//! Whoever reads somebody's contact can recover in their name. So the new one is proven, the old one is told, and every device pays
//! less for a day, as if it were new. The key by which people pay to the contact before goes with it: it is no longer known to be theirs.

use std::sync::Arc;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::challenge::{Challenge, Purpose, Sent};
use super::citizen::{Citizen, Device};
use super::confirm::Shown;
use super::error::CitizenError;
use super::event::ContactKind;
use super::registration::contact;
use super::service::{Answered, Citizens, Knocks};
use super::store::challenges;
use crate::access::{CitizenSession, Of};
use crate::aliases::{Kind, book};
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Proposal, WriteError, fresh};
use crate::holders::details::{self, Private};
use crate::holders::{Details, Found};
use crate::kernel::{Refusal, RefusalCode};
use crate::ledger::service::Actor;
use crate::messages::{Contact, Message};
use crate::secrets::people::{DataKey, Place};

/// A change meets little else about the same person.
const ATTEMPTS: usize = 3;
/// The field that a contact is sealed as until its code is back.
const CONTACT: &str = "contact";

/// What goes with the code.
#[derive(Debug)]
pub struct Signed {
    /// As it was typed.
    pub pin: SecretString,
    /// By the session's device, in base64url.
    pub signature: String,
}

/// A contact between the two halves, before it is sealed.
#[derive(Serialize, Deserialize)]
struct Told {
    kind: ContactKind,
    value: String,
}

/// What the device signs, in the order of RFC 8785.
#[derive(Serialize)]
struct Said<'a> {
    contact: &'a str,
    intent_id: Uuid,
}

/// Checks a contact that somebody wants to have.
pub fn wanted(kind: ContactKind, value: Private) -> Result<Contact, Refusal> {
    let refused = |pointer: &str, detail| Refusal::new(RefusalCode::ValidationFailed, detail).at(pointer);
    match kind {
        ContactKind::Email if details::is_email(&value) => Ok(Contact::Email(value)),
        ContactKind::Phone if details::is_phone(&value) => Ok(Contact::Phone(value)),
        ContactKind::Email => {
            Err(refused("/email", "an e-mail address has up to 254 bytes and one @ between two parts"))
        }
        ContactKind::Phone => Err(refused("/phone", "a phone number is + and 8 to 15 digits, such as +5511912345678")),
    }
}

impl Citizens {
    /// First half: a code goes to the new contact. Whose it may be besides nobody looks for.
    pub async fn ask_contact(
        &self,
        actor: &Actor,
        tenant: &str,
        (holder, session): (Uuid, CitizenSession),
        new: Contact,
    ) -> Result<Sent, CitizenError> {
        self.can_send()?;
        let (_, device, found) = self.changing(actor, (holder, session)).await?;
        if found.details.as_ref().is_some_and(|details| of_kind(details, kind(&new)).is_some_and(|own| own.is(&new))) {
            let detail = "this is your contact already";
            return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(pointer(&new)).into());
        }
        let knocks = knocks(actor, tenant, &device)?;
        let key = self.own_key(actor, holder).await?;
        let sealed = seal(&key, Of::from(actor), holder, &new)?;
        let (id, to) = (fresh::new_id(), self.unless_flooded(knocks.of, new).await?);
        let (sent, code) = self.challenge(&knocks, (id, Purpose::Contact, holder), Some(sealed)).await?;
        if let Some(to) = to {
            self.send(&knocks, &code, to);
        }
        Ok(sent)
    }

    /// Second half: the code is back, with the device's signature and the PIN. Answers the device, and from when it pays as before.
    pub async fn change_contact(
        &self,
        actor: &Actor,
        tenant: &str,
        (holder, session): (Uuid, CitizenSession),
        answered: &Answered,
        signed: &Signed,
    ) -> Result<(ContactKind, Device), CitizenError> {
        let (_, device, _) = self.changing(actor, (holder, session)).await?;
        let (knocks, of) = (knocks(actor, tenant, &device)?, Of::from(actor));
        let challenge = self.judge(&knocks, Purpose::Contact, answered).await?;
        if challenge.holder != holder {
            return Err(CitizenError::CodeExpired);
        }
        let key = self.own_key(actor, holder).await?;
        let new = unseal(&key, of, &challenge)?;
        let said = said(challenge.id, &new);
        let shown = Shown { pin: &signed.pin, signature: &signed.signature, said: &said };
        self.confirm(actor, (holder, session), &shown).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        if !challenges::lock(&mut tx, of, challenge.id).await? {
            return Err(CitizenError::CodeExpired);
        }
        let before = self.recorded_contact(actor, (holder, session), &new, &key).await?;
        challenges::delete(&mut tx, of, challenge.id).await?;
        tx.commit().await?;
        for old in before {
            self.tell(word(old, tenant));
        }
        let (_, device, _) = self.changing(actor, (holder, session)).await?;
        Ok((kind(&new), device))
    }

    /// Records it, unless the commit that followed has failed before. Answers who is to be told.
    async fn recorded_contact(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
        new: &Contact,
        key: &DataKey,
    ) -> Result<Vec<Contact>, CitizenError> {
        for _ in 0..ATTEMPTS {
            let (citizen, device, found) = self.changing(actor, (holder, session)).await?;
            let details = found.details.as_ref().ok_or(CitizenError::NoSession)?;
            let old = of_kind(details, kind(new));
            if old.as_ref().is_some_and(|old| old == new) {
                return Ok(Vec::new());
            }
            let of = Of::from(actor);
            let mut proposal = self.without_alias(of, holder, new, key).await?;
            proposal.events.push(found.holder.reached_by(of.tenant, key, new));
            proposal.events.push(citizen.reached_elsewhere(kind(new), device.id));
            match self.record(actor, Decision::Propose(proposal)).await {
                Err(CitizenError::Write(WriteError::Overloaded)) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let first = contact(details);
                    let both = old.into_iter().chain(first.filter(|first| kind(first) != kind(new)));
                    return Ok(both.collect());
                }
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// What takes the key away by which people pay to the contact before, if there is one.
    async fn without_alias(
        &self,
        of: Of,
        holder: Uuid,
        new: &Contact,
        key: &DataKey,
    ) -> Result<Proposal, CitizenError> {
        let own = book::stream(of.tenant, holder);
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &[own]).await?;
        tx.commit().await?;
        let book = book::Book::fold(own, &events).ok_or(CitizenError::Unreadable)?;
        let meant = match kind(new) {
            ContactKind::Email => Kind::Email,
            ContactKind::Phone => Kind::Phone,
        };
        let Some(entry) = book.entries.iter().find(|entry| entry.says.kind == meant) else {
            return Ok(Proposal::default());
        };
        let value = entry.value(of.tenant, key).ok_or(CitizenError::Unreadable)?;
        let digests = self.holders.digests(of.tenant, meant.claim(), &value)?;
        match book.remove(entry, digests) {
            Decision::Propose(proposal) => Ok(proposal),
            Decision::Refuse(refusal, _) => Err(refusal.into()),
            Decision::Already(_) => Err(CitizenError::Unreadable),
        }
    }

    /// Who asks: the citizen, the device of their session, and what is known of the person.
    async fn changing(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
    ) -> Result<(Citizen, Device, Found), CitizenError> {
        let citizen = self.load(Of::from(actor), holder).await?.ok_or(CitizenError::DeviceUntrusted)?;
        let device = citizen.device(session.device).ok_or(CitizenError::DeviceUntrusted)?.clone();
        Ok((citizen, device, self.holders.find(actor, holder).await?))
    }

    async fn own_key(&self, actor: &Actor, holder: Uuid) -> Result<Arc<DataKey>, CitizenError> {
        self.holders.keys(actor, &[holder]).await?.remove(&holder).ok_or(CitizenError::NoSession)
    }
}

/// As a device that is known asks: its challenge is for nobody else.
fn knocks(actor: &Actor, tenant: &str, device: &Device) -> Result<Knocks, CitizenError> {
    let key = Arc::new(device.key().ok_or(CitizenError::Unreadable)?);
    let trace = actor.origin.correlation.clone().unwrap_or_else(|| Arc::from(""));
    Ok(Knocks { of: Of::from(actor), tenant: tenant.to_owned(), from: None, key, trace })
}

/// The bytes that the device signs.
fn said(intent_id: Uuid, new: &Contact) -> Vec<u8> {
    let (Contact::Email(contact) | Contact::Phone(contact)) = new;
    // A text and an id always serialise; JSON writes letters beyond ASCII as they are, and a contact has no control characters.
    serde_json::to_vec(&Said { contact, intent_id }).unwrap_or_default()
}

fn kind(contact: &Contact) -> ContactKind {
    match contact {
        Contact::Email(_) => ContactKind::Email,
        Contact::Phone(_) => ContactKind::Phone,
    }
}

fn pointer(contact: &Contact) -> &'static str {
    match contact {
        Contact::Email(_) => "/email",
        Contact::Phone(_) => "/phone",
    }
}

fn of_kind(details: &Details, kind: ContactKind) -> Option<Contact> {
    match kind {
        ContactKind::Email => details.email.clone().map(Contact::Email),
        ContactKind::Phone => details.phone.clone().map(Contact::Phone),
    }
}

fn word(to: Contact, tenant: &str) -> Message {
    let text = format!(
        "{tenant}: o seu contato mudou. Não foi você? Bloqueie a conta. / Your contact was changed. Not you? Freeze your account."
    );
    Message { to, subject: format!("{tenant}: contato / contact"), text: text.into() }
}

fn place(of: Of, holder: Uuid) -> Place {
    Place { tenant: of.tenant, stream: holder, field: CONTACT }
}

fn seal(key: &DataKey, of: Of, holder: Uuid, new: &Contact) -> Result<String, CitizenError> {
    let (Contact::Email(value) | Contact::Phone(value)) = new;
    let told = Told { kind: kind(new), value: value.to_string() };
    let bytes = Zeroizing::new(serde_json::to_vec(&told).map_err(|_| CitizenError::Unreadable)?);
    Ok(key.seal(&place(of, holder), &bytes))
}

fn unseal(key: &DataKey, of: Of, challenge: &Challenge) -> Result<Contact, CitizenError> {
    let sealed = challenge.details.as_deref().ok_or(CitizenError::Unreadable)?;
    let bytes = key.open(&place(of, challenge.holder), sealed).map_err(|_| CitizenError::Unreadable)?;
    let Told { kind, value } = serde_json::from_slice(&bytes).map_err(|_| CitizenError::Unreadable)?;
    Ok(wanted(kind, Private::new(value))?)
}

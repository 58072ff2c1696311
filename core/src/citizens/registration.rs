//! Becoming a citizen: who somebody says they are, a code to their contact, and one commit that makes all of it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::challenge::{Challenge, Purpose, Sent};
use super::citizen::{self, Begin};
use super::error::CitizenError;
use super::event::{CitizenRegistered, DeviceKey};
use super::service::{Answered, Chosen, Citizens, Knocks, Opened, begin};
use super::store::{challenges, credentials};
use crate::access::proving::{Attempt, Counted, attempts};
use crate::access::{Of, tenant_settings};
use crate::event_store::proposal::StreamVersion;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Proposal, fresh};
use crate::holders::details::Private;
use crate::holders::{Details, Holder, holder};
use crate::kernel::{Metadata, Refusal, RefusalCode};
use crate::ledger::account::{self, Open};
use crate::ledger::known::Side;
use crate::ledger::service::Actor;
use crate::messages::Contact;
use crate::secrets::people::{DataKey, Place};

/// What nobody answered is kept for so long after its end, and the key that sealed it.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);
/// The field that the details of a registration are sealed as.
const REGISTRATION: &str = "registration";

/// Who somebody says they are.
#[derive(Debug)]
pub struct Introduction {
    /// Checked, and believed of nobody before the code is back.
    pub details: Details,
}

/// Whose a registration turns out to be.
enum Person {
    /// Somebody of whom nothing is known, or whose number is found to be taken.
    New { id: Uuid, details: Details, key: Arc<DataKey> },
    /// Somebody whom the back office knows, as they stand.
    Known(Holder),
}

/// The details between the two halves, before they are sealed.
#[derive(Serialize, Deserialize)]
struct Told<'a> {
    name: Cow<'a, str>,
    email: Option<Cow<'a, str>>,
    phone: Option<Cow<'a, str>>,
    cpf: Cow<'a, str>,
}

impl Person {
    fn id(&self) -> Uuid {
        match self {
            Self::New { id, .. } => *id,
            Self::Known(holder) => holder.id,
        }
    }
}

impl Citizens {
    /// First half: a code goes to the contact. Nobody is looked for, so nobody learns who is registered.
    pub async fn register(&self, knocks: &Knocks, who: &Introduction) -> Result<Sent, CitizenError> {
        self.can_send()?;
        self.citizen_asset(knocks.of).await?;
        let (knows, of) = (self.knows()?, knocks.of);
        self.sweep(of).await?;
        let contact = contact(&who.details).ok_or(CitizenError::Unreadable)?;
        let to = self.unless_flooded(of, contact).await?;
        let (id, holder) = (fresh::new_id(), fresh::new_id());
        let key = knows.keys.create(of.tenant, holder).await?;
        let sealed = seal(&key, of, holder, &who.details)?;
        let (sent, code) = self.challenge(knocks, (id, Purpose::Registration, holder), Some(sealed)).await?;
        if let Some(to) = to {
            self.send(knocks, &code, to);
        }
        Ok(sent)
    }

    /// Second half: the code is back, from the same device, with what its owner will remember.
    pub async fn complete_registration(
        &self,
        knocks: &Knocks,
        answered: &Answered,
        chosen: &Chosen,
    ) -> Result<Opened, CitizenError> {
        let (knows, of) = (self.knows()?, knocks.of);
        let fine = chosen.checked(&[&knocks.tenant])?;
        let challenge = self.judge(knocks, Purpose::Registration, answered).await?;
        let (id, asked) = (challenge.id, challenge.holder);
        let key = knows.keys.find(of.tenant, &[asked]).await?.remove(&asked).ok_or(CitizenError::CodeExpired)?;
        let details = unseal(&key, of, &challenge)?;
        let credential = self.hashed(&fine, id).await?;
        let person = self.person(knocks, asked, details, key).await?;
        let holder = person.id();
        let finished = self.load(of, holder).await?;
        if finished.as_ref().is_some_and(|citizen| citizen.enrolment != id) {
            return Err(self.over(of, &challenge, holder::taken().into()).await?);
        }
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        if !challenges::lock(&mut tx, of, id).await? {
            return Err(CitizenError::CodeExpired);
        }
        let actor = knocks.acting(holder);
        let mut begin = begin();
        let (account, decision) = if let Some(citizen) = &finished {
            // The log knows them already: the commit that follows has failed before.
            begin.device = citizen.device_with(&knocks.key).ok_or(CitizenError::DeviceUntrusted)?.id;
            (citizen.account, citizen::sign_in(holder, begin))
        } else {
            self.made(knocks, &actor, id, &person, begin).await?
        };
        credentials::put(&mut tx, of, holder, &credential).await?;
        let opened = self.open(&mut tx, knocks, (holder, account), begin).await?;
        challenges::delete(&mut tx, of, id).await?;
        if let Err(error) = self.record(&actor, decision).await {
            tx.rollback().await?;
            return Err(self.over(of, &challenge, error).await?);
        }
        tx.commit().await?;
        if holder != asked {
            self.destroy(of, asked).await;
        }
        Ok(opened)
    }

    /// Whose registration it is. Somebody whom the back office has registered is themselves, when the code went to the contact that is on
    /// record of them: it proves what a recovery would. Anybody else who names their number is refused where a citizen's would be.
    async fn person(
        &self,
        knocks: &Knocks,
        asked: Uuid,
        details: Details,
        key: Arc<DataKey>,
    ) -> Result<Person, CitizenError> {
        let actor = knocks.acting(asked);
        let Some(owner) = self.holders.owner(&actor, &details.cpf).await? else {
            return Ok(Person::New { id: asked, details, key });
        };
        let found = self.holders.find(&actor, owner).await?;
        let on_record = found.details.as_ref().and_then(contact);
        let is_theirs = on_record.zip(contact(&details)).is_some_and(|(on_record, proven)| on_record.is(&proven));
        Ok(if is_theirs { Person::Known(found.holder) } else { Person::New { id: asked, details, key } })
    }

    /// Holder, account, citizen and session, or none of them.
    async fn made(
        &self,
        knocks: &Knocks,
        actor: &Actor,
        enrolment: Uuid,
        person: &Person,
        begin: Begin,
    ) -> Result<(Uuid, Decision), CitizenError> {
        let holder = person.id();
        let (tenant, asset) = (knocks.of.tenant, self.citizen_asset(knocks.of).await?);
        let opening = opening(holder, &asset);
        let account = opening.id(tenant);
        let known = self.ledger.known(actor, BTreeSet::from([account]), BTreeSet::from([asset])).await?;
        let known_or_new = match person {
            Person::New { details, key, .. } => {
                let digests = self.knows()?.index.digests(tenant, holder::CPF, details.cpf.digits());
                proposal(holder::register(tenant, holder, details, key, digests))?
            }
            // As they were read: neither erased nor reached elsewhere since.
            Person::Known(known) => {
                let expected = StreamVersion { stream: known.id, version: known.version() };
                Proposal { expects: vec![expected], ..Proposal::default() }
            }
        };
        let opened = proposal(account::open(&opening, tenant, &known)?)?;
        let device = DeviceKey { device: begin.device, key: knocks.key.jwk() };
        let says = CitizenRegistered { holder, account, enrolment, device };
        let citizen = citizen::register(tenant, &says, begin.session);
        let events = known_or_new.events.into_iter().chain(opened.events).chain(citizen).collect();
        Ok((account, Decision::Propose(Proposal { events, ..known_or_new })))
    }

    /// A registration that came too late is over: nobody is made of it, and its code tells that once.
    async fn over(&self, of: Of, challenge: &Challenge, error: CitizenError) -> Result<CitizenError, CitizenError> {
        let is_taken =
            matches!(&error, CitizenError::Refused(refusal) if refusal.code == RefusalCode::AlreadyRegistered);
        if is_taken {
            let mut tx = tenant_tx(&self.editor, of.tenant).await?;
            challenges::delete(&mut tx, of, challenge.id).await?;
            tx.commit().await?;
            self.destroy(of, challenge.holder).await;
        }
        Ok(error)
    }

    /// The asset of a new citizen's account. A tenant without one has no citizens.
    async fn citizen_asset(&self, of: Of) -> Result<String, CitizenError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let kept = tenant_settings(&mut tx, of.tenant).await?;
        tx.commit().await?;
        let none = || Refusal::new(RefusalCode::NotFound, "this tenant has no citizens");
        Ok(kept.settings.citizen_asset.ok_or_else(none)?)
    }

    /// The contact, unless it was sent much lately: a mailbox is not flooded by those who are not its owner.
    pub(super) async fn unless_flooded(&self, of: Of, contact: Contact) -> Result<Option<Contact>, CitizenError> {
        let (Contact::Email(text) | Contact::Phone(text)) = &contact;
        let key = self.knows()?.counted(Counted::Contact, &[of.tenant.as_bytes(), text.as_bytes()]);
        let attempt = attempts::count(&self.editor, Counted::Contact, &key, self.now()).await?;
        Ok((attempt != Attempt::Blocked).then_some(contact))
    }

    /// Takes away what nobody answered, and the keys of those who did not become anybody; and counts that are too old to count.
    async fn sweep(&self, of: Of) -> Result<(), CitizenError> {
        attempts::forget(&self.editor, self.now()).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let left = challenges::sweep(&mut tx, of, self.now() - FORGOTTEN_AFTER).await?;
        tx.commit().await?;
        if left.is_empty() {
            return Ok(());
        }
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &left).await?;
        tx.commit().await?;
        let somebody: BTreeSet<Uuid> = events.iter().map(|event| event.stream).collect();
        for holder in left.into_iter().filter(|holder| !somebody.contains(holder)) {
            self.destroy(of, holder).await;
        }
        Ok(())
    }

    /// A key that stays seals nothing that anybody has.
    async fn destroy(&self, of: Of, holder: Uuid) {
        let Ok(knows) = self.knows() else { return };
        if let Err(error) = knows.keys.destroy(of.tenant, holder).await {
            tracing::warn!(%error, %holder, "the key of a registration that came to nothing is left");
        }
    }
}

/// How the account of a citizen is opened: named by the person's id, so that there is one, and the back office finds it.
fn opening(holder: Uuid, asset: &str) -> Open {
    Open {
        fresh_id: Uuid::nil(),
        name: Some(format!("citizen:{holder}")),
        asset: asset.to_owned(),
        normal_side: Side::Credit,
        min_balance: Some("0".to_owned()),
        max_balance: None,
        metadata: Metadata::default(),
    }
}

/// Where somebody is reached: mail costs nothing and says more.
pub(super) fn contact(details: &Details) -> Option<Contact> {
    let email = details.email.clone().map(Contact::Email);
    email.or_else(|| details.phone.clone().map(Contact::Phone))
}

fn proposal(decision: Decision) -> Result<Proposal, CitizenError> {
    match decision {
        Decision::Propose(proposal) => Ok(proposal),
        Decision::Refuse(refusal, _) => Err(refusal.into()),
        Decision::Already(_) => Err(CitizenError::Unreadable),
    }
}

fn place(of: Of, holder: Uuid) -> Place {
    Place { tenant: of.tenant, stream: holder, field: REGISTRATION }
}

fn seal(key: &DataKey, of: Of, holder: Uuid, details: &Details) -> Result<String, CitizenError> {
    let text = |private: &Private| Cow::Owned(private.to_string());
    let told = Told {
        name: text(&details.name),
        email: details.email.as_ref().map(text),
        phone: details.phone.as_ref().map(text),
        cpf: details.cpf.digits().into(),
    };
    let bytes = Zeroizing::new(serde_json::to_vec(&told).map_err(|_| CitizenError::Unreadable)?);
    Ok(key.seal(&place(of, holder), &bytes))
}

fn unseal(key: &DataKey, of: Of, challenge: &Challenge) -> Result<Details, CitizenError> {
    let sealed = challenge.details.as_deref().ok_or(CitizenError::Unreadable)?;
    let bytes = key.open(&place(of, challenge.holder), sealed).map_err(|_| CitizenError::Unreadable)?;
    let told: Told<'_> = serde_json::from_slice(&bytes).map_err(|_| CitizenError::Unreadable)?;
    let private = |text: Cow<'_, str>| Private::new(text.into_owned());
    let (email, phone) = (told.email.map(private), told.phone.map(private));
    Ok(Details::checked(private(told.name), email, phone, &private(told.cpf))?)
}

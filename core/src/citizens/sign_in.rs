//! Signing in: with the password on a device that is known, and with a code besides on one that is not.
//!
//! The order is fixed, and the same for somebody and nobody: the address may try, whose number it is, whether it may be tried, the
//! password (always hashed). Whose number it is costs the same rows for nobody, for whom the citizen beside them stands in. A refusal
//! is always the same, and what it was is for the log.

use secrecy::SecretString;
use uuid::Uuid;

use super::challenge::{Purpose, Sent};
use super::citizen::{self, Begin, Citizen};
use super::error::CitizenError;
use super::registration::contact;
use super::service::{Answered, Citizens, Knocks, Opened, begin};
use super::store::challenges;
use super::store::credentials::{self, Credential};
use crate::access::proving::back_off::origin;
use crate::access::proving::{Attempt, Counted, attempts};
use crate::event_store::fresh;
use crate::event_store::read::tenant_tx;
use crate::holders::Cpf;
use crate::messages::Contact;

/// What somebody presents.
#[derive(Debug)]
pub struct SignIn {
    /// Their number.
    pub cpf: Cpf,
    /// As it was typed.
    pub password: SecretString,
}

/// What became of it.
#[derive(Debug)]
pub enum SignedIn {
    /// The device is known.
    Opened(Opened),
    /// It is not: a code was sent to the contact.
    Challenged(Sent),
}

/// Who may be meant, and what was found of them or of who stands in for them.
struct Candidate {
    /// The holder of the number, or an id that is nobody's.
    meant: Uuid,
    citizen: Option<Citizen>,
    credential: Option<Credential>,
    /// The device that asks, if it is one of theirs.
    device: Option<Uuid>,
}

impl Citizens {
    /// Opens a session, asks for a code, or refuses in the one way.
    pub async fn sign_in(&self, knocks: &Knocks, who: &SignIn) -> Result<SignedIn, CitizenError> {
        let (knows, now) = (self.knows()?, self.now());
        let by_address = knows.counted(Counted::Address, &[&origin(knocks.from)]);
        if attempts::count(&self.editor, Counted::Address, &by_address, now).await? == Attempt::Blocked {
            tracing::warn!("sign-ins from one address are refused for a while");
            return Err(CitizenError::NotProven);
        }
        let Candidate { meant, citizen, credential, device } = self.candidate(knocks, &who.cpf).await?;
        let (counted, by_login) = self.counted_as(knocks, who, device.is_some())?;
        let attempt = attempts::count(&self.editor, counted, &by_login, now).await?;
        let judged = self.is_password(citizen.as_ref(), credential, &who.password).await;
        let citizen = citizen.filter(|citizen| citizen.holder == meant);
        let is_proven = matches!(judged, Ok(true)) && citizen.is_some() && attempt != Attempt::Blocked;
        // Who was right, or was not judged, has not failed.
        if is_proven || judged.is_err() {
            attempts::take_back(&self.editor, &by_login, judged.is_err()).await?;
            attempts::take_back(&self.editor, &by_address, true).await?;
        }
        judged?;
        let Some(citizen) = citizen.filter(|_| is_proven) else {
            self.report(knocks, meant, counted, attempt);
            return Err(CitizenError::NotProven);
        };
        match device {
            Some(device) => Ok(SignedIn::Opened(self.let_in(knocks, &citizen, device).await?)),
            None => Ok(SignedIn::Challenged(self.ask(knocks, &citizen).await?)),
        }
    }

    /// Asks the same of the database for any number: of one that is no citizen's, somebody stands in for nobody.
    async fn candidate(&self, knocks: &Knocks, cpf: &Cpf) -> Result<Candidate, CitizenError> {
        let (of, nobody) = (knocks.of, fresh::new_id());
        let meant = self.holders.owner_alike(&knocks.acting(nobody), cpf).await?.unwrap_or(nobody);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let found = credentials::find_or_stand_in(&mut tx, of, meant).await?;
        tx.commit().await?;
        let (id, credential) = found.map_or((meant, None), |(id, credential)| (id, Some(credential)));
        let citizen = self.load(of, id).await?;
        let device = citizen.as_ref().and_then(|citizen| citizen.device_with(&knocks.key)).map(|device| device.id);
        Ok(Candidate { meant, citizen, credential, device: device.filter(|_| id == meant) })
    }

    /// The code is back: one more device, and a session on it.
    pub async fn complete_sign_in(&self, knocks: &Knocks, answered: &Answered) -> Result<Opened, CitizenError> {
        let of = knocks.of;
        let challenge = self.judge(knocks, Purpose::Device, answered).await?;
        let citizen = self.load(of, challenge.holder).await?.ok_or(CitizenError::CodeExpired)?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        if !challenges::lock(&mut tx, of, challenge.id).await? {
            return Err(CitizenError::CodeExpired);
        }
        let mut begin = begin();
        let decision = if let Some(device) = citizen.device_with(&knocks.key) {
            // The commit that follows has failed before.
            begin.device = device.id;
            citizen::sign_in(citizen.holder, begin)
        } else {
            citizen.add(&knocks.key, begin)
        };
        let opened = self.open(&mut tx, knocks, (citizen.holder, citizen.account), begin).await?;
        challenges::delete(&mut tx, of, challenge.id).await?;
        self.record(&knocks.acting(citizen.holder), decision).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// The fact first: nobody is in whom the log knows nothing of.
    async fn let_in(&self, knocks: &Knocks, citizen: &Citizen, device: Uuid) -> Result<Opened, CitizenError> {
        let begin = Begin { device, ..begin() };
        self.record(&knocks.acting(citizen.holder), citizen::sign_in(citizen.holder, begin)).await?;
        let mut tx = tenant_tx(&self.editor, knocks.of.tenant).await?;
        let opened = self.open(&mut tx, knocks, (citizen.holder, citizen.account), begin).await?;
        tx.commit().await?;
        Ok(opened)
    }

    async fn ask(&self, knocks: &Knocks, citizen: &Citizen) -> Result<Sent, CitizenError> {
        self.can_send()?;
        let to = self.reached(knocks, citizen.holder).await?;
        let asked = (fresh::new_id(), Purpose::Device, citizen.holder);
        let (sent, code) = self.challenge(knocks, asked, None).await?;
        if let Some(to) = to {
            self.send(knocks, &code, to);
        }
        Ok(sent)
    }

    /// Where a citizen is reached, unless they were sent much lately.
    pub(super) async fn reached(&self, knocks: &Knocks, holder: Uuid) -> Result<Option<Contact>, CitizenError> {
        let found = self.holders.find(&knocks.acting(holder), holder).await?;
        match found.details.as_ref().and_then(contact) {
            Some(contact) => self.unless_flooded(knocks.of, contact).await,
            None => Ok(None),
        }
    }

    /// What attempts count as: on a device of theirs nobody else keeps a citizen out.
    fn counted_as(&self, knocks: &Knocks, who: &SignIn, is_home: bool) -> Result<(Counted, [u8; 32]), CitizenError> {
        let (tenant, number, key) = (knocks.of.tenant, who.cpf.digits(), knocks.key.thumbprint());
        let parts: [&[u8]; 3] = [tenant.as_bytes(), number.as_bytes(), key.as_bytes()];
        let (counted, parts) = if is_home { (Counted::LoginAtHome, &parts[..]) } else { (Counted::Login, &parts[..2]) };
        Ok((counted, self.knows()?.counted(counted, parts)))
    }

    /// Each step of a pause is a fact, if it is somebody's. It is recorded beside the answer, which must not take longer for it.
    fn report(&self, knocks: &Knocks, holder: Uuid, counted: Counted, attempt: Attempt) {
        let Attempt::Free { failures } = attempt else { return };
        let pause = counted.pause(failures).num_seconds();
        if pause == 0 {
            return;
        }
        tracing::warn!(failures, pause, "sign-ins as one citizen are refused for a while");
        let (citizens, of, actor) = (self.clone(), knocks.of, knocks.acting(holder));
        tokio::spawn(async move {
            if !matches!(citizens.load(of, holder).await, Ok(Some(_))) {
                return;
            }
            let decision = citizen::sign_in_refused(fresh::new_id(), holder, failures, pause);
            if let Err(error) = citizens.record(&actor, decision).await {
                tracing::warn!(%error, %holder, "a refused sign-in is not in the log");
            }
        });
    }
}

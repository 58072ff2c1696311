//! Starting again: the telephone is lost, or the PIN. A code to the contact that is known, and other secrets on this device alone.

use uuid::Uuid;

use super::challenge::{Code, Purpose, Sent};
use super::citizen::{self, Begin};
use super::error::{CitizenError, nothing};
use super::service::{Answered, Chosen, Citizens, Knocks, Opened, begin};
use super::store::{challenges, credentials, sessions};
use crate::access::Of;
use crate::event_store::job::Render;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Disposed, Job, RequestKey, WriteError, fresh};
use crate::holders::Cpf;
use crate::ledger::account::{self, Account};
use crate::ledger::service::Actor;

/// Who somebody says they are.
#[derive(Debug)]
pub struct Recovery {
    /// Their number.
    pub cpf: Cpf,
}

/// Two who reset one citizen at once are few.
const ATTEMPTS: usize = 3;

impl Citizens {
    /// First half. The answer comes before anybody is looked for, so it tells nothing of whether there is somebody.
    pub async fn recover(&self, knocks: &Knocks, who: &Recovery) -> Result<Sent, CitizenError> {
        self.can_send()?;
        let (id, nobody) = (fresh::new_id(), fresh::new_id());
        let holder = self.holders.owner_alike(&knocks.acting(nobody), &who.cpf).await?.unwrap_or(nobody);
        let (sent, code) = self.challenge(knocks, (id, Purpose::Recovery, holder), None).await?;
        let (citizens, knocks) = (self.clone(), knocks.clone());
        tokio::spawn(async move {
            if let Err(error) = citizens.deliver(&knocks, holder, &code).await {
                tracing::warn!(%error, "the code of a recovery was not sent");
            }
        });
        Ok(sent)
    }

    async fn deliver(&self, knocks: &Knocks, holder: Uuid, code: &Code) -> Result<(), CitizenError> {
        if self.load(knocks.of, holder).await?.is_none() {
            return Ok(());
        }
        if let Some(to) = self.reached(knocks, holder).await? {
            self.send(knocks, code, to);
        }
        Ok(())
    }

    /// Second half: the code is back. What was is over: devices, sessions, secrets.
    pub async fn complete_recovery(
        &self,
        knocks: &Knocks,
        answered: &Answered,
        chosen: &Chosen,
    ) -> Result<Opened, CitizenError> {
        let of = knocks.of;
        let fine = chosen.checked(&[&knocks.tenant])?;
        let challenge = self.judge(knocks, Purpose::Recovery, answered).await?;
        let (id, holder) = (challenge.id, challenge.holder);
        let citizen = self.load(of, holder).await?.ok_or(CitizenError::CodeExpired)?;
        let credential = self.hashed(&fine, id).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        if !challenges::lock(&mut tx, of, id).await? {
            return Err(CitizenError::CodeExpired);
        }
        let (begin, decision) = match citizen.devices.first() {
            // The commit that follows has failed before.
            Some(device) if citizen.enrolment == id => {
                let begin = Begin { device: device.id, ..begin() };
                (begin, citizen::sign_in(holder, begin))
            }
            _ => {
                let begin = begin();
                (begin, citizen.recover(id, &knocks.key, begin))
            }
        };
        credentials::put(&mut tx, of, holder, &credential).await?;
        sessions::end(&mut tx, of, holder, (None, None)).await?;
        let opened = self.open(&mut tx, knocks, (holder, citizen.account), begin).await?;
        challenges::delete(&mut tx, of, id).await?;
        let decision = self.thawing(of, citizen.account, decision).await?;
        self.record(&knocks.acting(holder), decision).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// What somebody froze themselves is theirs again in the same commit. What the back office froze stays frozen.
    async fn thawing(&self, of: Of, account: Uuid, decision: Decision) -> Result<Decision, CitizenError> {
        let Decision::Propose(mut proposal) = decision else { return Ok(decision) };
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &[account]).await?;
        tx.commit().await?;
        let account = Account::fold(&events).ok_or(CitizenError::Unreadable)?;
        proposal.events.extend(account::thaw(&account));
        Ok(Decision::Propose(proposal))
    }

    /// The back office takes all devices of a citizen away, as when a telephone was stolen. It chooses no secret: the citizen
    /// recovers. Sessions end first, and whoever repeats this records the fact.
    pub async fn reset(
        &self,
        actor: &Actor,
        key: RequestKey,
        holder: Uuid,
        render: Render,
    ) -> Result<Disposed, CitizenError> {
        let of = Of::from(actor);
        for _ in 0..ATTEMPTS {
            let citizen = self.load(of, holder).await?.ok_or_else(nothing)?;
            let mut tx = tenant_tx(&self.editor, of.tenant).await?;
            sessions::end(&mut tx, of, holder, (None, None)).await?;
            tx.commit().await?;
            let shard = self.ledger.shard(of.shard).ok_or(WriteError::DatabaseUnavailable)?;
            let (request, items) = (Some(key.clone()), vec![citizen.reset().into()]);
            let job = Job { origin: actor.origin.clone(), request, items, render: render.clone() };
            match shard.dispose(job).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }
}

//! A whole town at once: citizens who never answered a code, for simulations and pilots. Whoever calls this vouches for them.
//!
//! They are made as a registration makes them, but for the code and the session: the same facts, claims and rows.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use super::citizen;
use super::error::CitizenError;
use super::event::{CitizenRegistered, DeviceKey};
use super::registration::{opening, proposal};
use super::service::{Chosen, Citizens};
use super::store::credentials;
use crate::access::{Of, ProofKey};
use crate::event_store::job::unanswered;
use crate::event_store::read::tenant_tx;
use crate::event_store::{Disposed, Item, Job, Outcome, Proposal, WriteError, fresh};
use crate::holders::{Details, holder};
use crate::ledger::account;
use crate::ledger::known::Known;
use crate::ledger::service::Actor;

/// So many at a time ask Vault for a key of their own.
const KEYS_AT_ONCE: usize = 8;

/// Somebody who settles.
#[derive(Debug)]
pub struct Settler {
    /// Who they are.
    pub details: Details,
    /// The key of their device.
    pub key: ProofKey,
}

/// Somebody who has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The holder.
    pub holder: Uuid,
    /// The account that they pay from.
    pub account: Uuid,
}

impl Citizens {
    /// Settles people who all remember the same, in one commit; none of them when one cannot be.
    pub async fn settle(
        &self,
        actor: &Actor,
        people: Vec<Settler>,
        chosen: &Chosen,
    ) -> Result<Vec<Settled>, CitizenError> {
        let of = Of::from(actor);
        let asset = self.citizen_asset(of).await?;
        let known = self.ledger.known(actor, BTreeSet::new(), BTreeSet::from([asset.clone()])).await?;
        let enrolment = fresh::new_id();
        // One hash for all: it is of what they all remember, and bound to nobody.
        let credential = self.hashed(&chosen.checked(&[])?, enrolment).await?;
        let made = stream::iter(people).map(|who| self.settler(of, who, (enrolment, &asset), &known));
        let made: Vec<(Settled, Item)> = made.buffered(KEYS_AT_ONCE).try_collect().await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        for (settled, _) in &made {
            credentials::put(&mut tx, of, settled.holder, &credential).await?;
        }
        let (settled, items): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        self.append(actor, items).await?;
        tx.commit().await?;
        Ok(settled)
    }

    async fn settler(
        &self,
        of: Of,
        who: Settler,
        (enrolment, asset): (Uuid, &str),
        accounts: &Known,
    ) -> Result<(Settled, Item), CitizenError> {
        let (knows, holder, tenant) = (self.knows()?, fresh::new_id(), of.tenant);
        let key = knows.keys.create(tenant, holder).await?;
        let opening = opening(holder, asset);
        let account = opening.id(tenant);
        let digests = knows.index.digests(tenant, holder::CPF, who.details.cpf.digits());
        let person = proposal(holder::register(tenant, holder, &who.details, &key, digests))?;
        let opened = proposal(account::open(&opening, tenant, accounts)?)?;
        let device = DeviceKey { device: fresh::new_id(), key: who.key.jwk() };
        let says = CitizenRegistered { holder, account, enrolment, device };
        let citizen = citizen::settled(tenant, &says);
        let events = person.events.into_iter().chain(opened.events).chain([citizen]).collect();
        let proposal = Proposal { events, personal: person.personal, ..Proposal::default() };
        Ok((
            Settled { holder, account },
            Item { decision: crate::event_store::Decision::Propose(proposal), group: Some("town".into()) },
        ))
    }

    async fn append(&self, actor: &Actor, items: Vec<Item>) -> Result<(), CitizenError> {
        let shard = self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let job = Job { origin: actor.origin.clone(), request: None, items, render: unanswered() };
        let Disposed::Done(done, _) = shard.dispose(job).await? else { return Err(WriteError::Overloaded.into()) };
        let refused = done.outcomes.into_iter().find_map(|outcome| match outcome {
            Outcome::Refused(refusal) => Some(refusal),
            Outcome::Applied(_) | Outcome::Already(_) => None,
        });
        refused.map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}

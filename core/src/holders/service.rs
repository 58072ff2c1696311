//! The use cases: register, find by id, find by CPF, unmask, erase.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

use super::cpf::Cpf;
use super::details::Details;
use super::error::HolderError;
use super::event::{self, HolderUnmasked};
use super::holder::{self, CPF, Holder, Unless};
use super::store;
use crate::event_store::fact::{self, Fact};
use crate::event_store::job::Render;
use crate::event_store::personal::Digest;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Disposed, Job, Outcome, RequestKey, Shard, WriteError, fresh};
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::{Refusal, RefusalCode};
use crate::ledger::service::Actor;
use crate::secrets::people::{DataKey, PersonKeys};
use crate::secrets::{BlindIndex, RequestDigest, SecretsError};

/// Being shown meets little else about the same holder.
const ATTEMPTS: usize = 3;

/// What this context has from Vault.
#[derive(Debug, Clone)]
pub struct Personal {
    /// The keys of people.
    pub keys: PersonKeys,
    /// How a CPF is found.
    pub index: BlindIndex,
    /// How a request that carries one is recognised.
    pub requests: RequestDigest,
}

/// What the API needs of this context. Reads as `vintem_reader`, appends through the writers of the shards.
#[derive(Clone)]
pub struct Holders {
    reader: PgPool,
    shards: HashMap<i16, Shard>,
    personal: Option<Personal>,
}

/// A holder, and what is known of them while they are not erased.
#[derive(Debug)]
pub struct Found {
    /// Who.
    pub holder: Holder,
    /// `None` once they are erased.
    pub details: Option<Details>,
}

impl Holders {
    /// Without a Vault nobody can be registered or read.
    pub fn new(reader: PgPool, shards: HashMap<i16, Shard>, personal: Option<Personal>) -> Self {
        Self { reader, shards, personal }
    }

    /// The fingerprint of a request that carries something personal: keyed, for it is kept for ever.
    pub fn fingerprint(&self, plain: &Fingerprint) -> Result<Fingerprint, HolderError> {
        Ok(self.personal()?.requests.fingerprint(plain))
    }

    /// Registers a person. The key is kept before the fact is recorded: a key without a fact seals nothing, a fact without
    /// its key would be lost.
    pub async fn register(
        &self,
        actor: &Actor,
        key: RequestKey,
        details: &Details,
        render: Render,
    ) -> Result<Disposed, HolderError> {
        let (tenant, personal) = (actor.origin.tenant, self.personal()?);
        let digests = personal.index.digests(tenant, CPF, details.cpf.digits());
        let mut tx = tenant_tx(&self.reader, tenant).await?;
        let is_taken = store::owner(&mut tx, actor.shard, tenant, CPF, &digests).await?.is_some();
        tx.commit().await?;
        // A repeated request finds its own holder here, and the writer finds its first answer.
        if is_taken {
            return self.dispose(actor, key, Decision::Refuse(holder::taken(), Vec::new()), render).await;
        }
        let id = fresh::new_id();
        let own = personal.keys.create(tenant, id).await?;
        let decision = holder::register(tenant, id, details, &own, digests);
        let disposed = self.dispose(actor, key, decision, render).await;
        // An outcome that is not known keeps its key: the fact may be there.
        if !matches!(&disposed, Ok(disposed) if is_applied(disposed))
            && !matches!(disposed, Err(HolderError::Write(WriteError::OutcomeUnknown)))
        {
            self.destroy(tenant, id).await;
        }
        disposed
    }

    /// A holder by id. Another tenant's is not found.
    pub async fn find(&self, actor: &Actor, id: Uuid) -> Result<Found, HolderError> {
        let holder = self.load(actor, id).await?;
        self.opened(actor, holder).await
    }

    /// A holder by CPF.
    pub async fn look_up(&self, actor: &Actor, cpf: &Cpf) -> Result<Found, HolderError> {
        let owner = self.owner(actor, cpf).await?;
        self.find(actor, owner.ok_or_else(nobody)?).await
    }

    /// Whose a CPF is, if it is anybody's.
    pub async fn owner(&self, actor: &Actor, cpf: &Cpf) -> Result<Option<Uuid>, HolderError> {
        self.owner_by(actor, CPF, cpf.digits()).await
    }

    /// The same for the door, where nobody must not be told apart from somebody: as many rows are read for them.
    pub async fn owner_alike(&self, actor: &Actor, cpf: &Cpf) -> Result<Option<Uuid>, HolderError> {
        let tenant = actor.origin.tenant;
        let digests = self.digests(tenant, CPF, cpf.digits())?;
        let mut tx = tenant_tx(&self.reader, tenant).await?;
        let owner = store::owner_alike(&mut tx, actor.shard, tenant, CPF, &digests).await?;
        tx.commit().await?;
        Ok(owner)
    }

    /// Whose a personal key of a kind is, if it is anybody's.
    pub async fn owner_by(&self, actor: &Actor, kind: &str, value: &str) -> Result<Option<Uuid>, HolderError> {
        let tenant = actor.origin.tenant;
        let digests = self.digests(tenant, kind, value)?;
        let mut tx = tenant_tx(&self.reader, tenant).await?;
        let owner = store::owner(&mut tx, actor.shard, tenant, kind, &digests).await?;
        tx.commit().await?;
        Ok(owner)
    }

    /// What a personal key is found under, for contexts that claim some for their own kinds.
    pub fn digests(&self, tenant: Uuid, kind: &str, value: &str) -> Result<Vec<Digest>, HolderError> {
        Ok(self.personal()?.index.digests(tenant, kind, value))
    }

    /// A holder by id, for somebody who is to see everything: that they were shown it is in the log before they are.
    pub async fn unmask(&self, actor: &Actor, id: Uuid, facts: &HolderUnmasked) -> Result<Found, HolderError> {
        for _ in 0..ATTEMPTS {
            let holder = self.load(actor, id).await?;
            let found = self.opened(actor, holder).await?;
            if found.details.is_none() {
                return Ok(found);
            }
            let fact = Fact {
                origin: actor.origin.clone(),
                stream: id,
                expected: found.holder.version(),
                fresh: false,
                kind: event::HOLDER_UNMASKED,
                says: facts,
            };
            if fact::record(self.shard(actor)?, fact).await? {
                return Ok(found);
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Erases a holder, unless something stands against it: from the commit on nobody is shown anything; the key goes at once,
    /// or by the job that the commit has asked for. A conflict is decided again by who knows what stands against it.
    pub async fn erase(
        &self,
        actor: &Actor,
        (requested_by, id): (Uuid, Uuid),
        key: RequestKey,
        unless: Unless,
        render: Render,
    ) -> Result<Disposed, HolderError> {
        let (tenant, holder) = (actor.origin.tenant, self.load(actor, id).await?);
        let decision = holder::erase(&holder, tenant, requested_by, unless);
        let disposed = self.dispose(actor, key, decision, render).await?;
        if is_applied(&disposed) {
            self.destroy(tenant, id).await;
        }
        Ok(disposed)
    }

    /// The keys of those who are not erased, for what other contexts seal for them. The log is asked here, too.
    pub async fn keys(&self, actor: &Actor, ids: &[Uuid]) -> Result<HashMap<Uuid, Arc<DataKey>>, HolderError> {
        let tenant = actor.origin.tenant;
        let mut tx = tenant_tx(&self.reader, tenant).await?;
        let events = read::streams(&mut tx, actor.shard, ids).await?;
        tx.commit().await?;
        let holders = events.chunk_by(|a, b| a.stream == b.stream).filter_map(Holder::fold);
        let living: Vec<Uuid> = holders.filter(|holder| holder.erased.is_none()).map(|holder| holder.id).collect();
        Ok(self.personal()?.keys.find(tenant, &living).await?)
    }

    async fn dispose(
        &self,
        actor: &Actor,
        key: RequestKey,
        decision: Decision,
        render: Render,
    ) -> Result<Disposed, HolderError> {
        let job = Job { origin: actor.origin.clone(), request: Some(key), items: vec![decision.into()], render };
        Ok(self.shard(actor)?.dispose(job).await?)
    }

    async fn load(&self, actor: &Actor, id: Uuid) -> Result<Holder, HolderError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, &[id]).await?;
        tx.commit().await?;
        Holder::fold(&events).ok_or_else(nobody)
    }

    /// The log is asked first, always: what it calls erased stays closed, whatever key is still in memory.
    async fn opened(&self, actor: &Actor, holder: Holder) -> Result<Found, HolderError> {
        if holder.erased.is_some() {
            return Ok(Found { holder, details: None });
        }
        let tenant = actor.origin.tenant;
        let found = self.personal()?.keys.find(tenant, &[holder.id]).await?;
        let key: &Arc<DataKey> = found.get(&holder.id).ok_or(HolderError::KeyGone)?;
        let details = holder.open(tenant, key)?;
        Ok(Found { holder, details: Some(details) })
    }

    fn shard(&self, actor: &Actor) -> Result<&Shard, WriteError> {
        self.shards.get(&actor.shard).ok_or(WriteError::DatabaseUnavailable)
    }

    fn personal(&self) -> Result<&Personal, HolderError> {
        self.personal.as_ref().ok_or(HolderError::Secrets(SecretsError::Unreachable { call: "kv read" }))
    }

    /// Now rather than later; what fails here the job repeats, and a key that nobody uses harms nobody.
    async fn destroy(&self, tenant: Uuid, id: Uuid) {
        let Some(personal) = &self.personal else { return };
        if let Err(error) = personal.keys.destroy(tenant, id).await {
            tracing::warn!(%error, holder = %id, "a person's key is not destroyed yet");
        }
    }
}

fn is_applied(disposed: &Disposed) -> bool {
    matches!(disposed, Disposed::Done(done, _) if matches!(done.outcomes[..], [Outcome::Applied(_)]))
}

fn nobody() -> HolderError {
    Refusal::new(RefusalCode::NotFound, "there is no such holder").into()
}

impl std::fmt::Debug for Holders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holders")
    }
}

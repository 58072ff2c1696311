//! The use cases: have a key, list them, give one up, find somebody by one, and pay whom one has found.

use super::book::{self, Book, Entry};
use super::error::AliasError;
use super::event::{AliasRegistered, Kind};
use super::kind::Alias;
use super::quota::Quota;
use super::ticket;
use crate::event_store::job::{Render, unanswered};
use crate::event_store::proposal::Status;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Disposed, Job, RequestKey, Shard, WriteError, fresh};
use crate::holders::details::Private;
use crate::holders::mask::Masked;
use crate::holders::{HolderError, Holders, Personal};
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::ledger::service::{Actor, Ledger};
use crate::payments::Party;
use crate::secrets::{Pepper, SecretsError, random};
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

/// A person's keys change rarely; who loses so often competes with too many others.
const ATTEMPTS: usize = 3;

/// What the API needs of this context. Reads as `vintem_reader`, appends through the writers of the shards.
#[derive(Clone)]
pub struct Aliases {
    reader: PgPool,
    ledger: Ledger,
    holders: Holders,
    pepper: Option<Pepper>,
    quota: Arc<Quota>,
}

/// A key, to its owner.
#[derive(Debug)]
pub struct Own {
    /// The key.
    pub entry: Entry,
    /// What others type.
    pub value: Private,
}

/// What somebody is told of whom they have found: enough to see that it is the right person.
#[derive(Debug)]
pub struct Found {
    /// What a transfer to them is asked for with.
    pub lookup_id: String,
    /// `Ana C.`
    pub name: Private,
    /// `***.982.247-**`
    pub cpf: Private,
}

/// A look-up that was begun.
#[derive(Debug)]
pub struct Attempt<'a> {
    quota: &'a Quota,
    asker: Uuid,
}

impl Attempt<'_> {
    /// It found nothing, and costs the rest.
    pub fn missed(self) {
        self.quota.missed(self.asker);
    }
}

impl Aliases {
    /// Without a Vault nobody has a key, and nobody is found.
    pub fn new(reader: PgPool, ledger: Ledger, holders: Holders, personal: Option<&Personal>) -> Self {
        let pepper = personal.map(|personal| personal.requests.pepper());
        Self { reader, ledger, holders, pepper, quota: Arc::default() }
    }

    /// Gives somebody one more key: what is known of them, or a random one.
    pub async fn register(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (who, kind): (Party, Kind),
        render: &Render,
    ) -> Result<Disposed, AliasError> {
        for _ in 0..ATTEMPTS {
            let book = self.book(actor, who.holder).await?;
            let (says, value) = self.drawn(actor, who, kind).await?;
            let digests = self.holders.digests(actor.origin.tenant, kind.claim(), &value)?;
            let decision = book.register(&says, digests);
            match self.dispose(actor, Some(key.clone()), decision, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Somebody's keys, the oldest first.
    pub async fn list(&self, actor: &Actor, holder: Uuid) -> Result<Vec<Own>, AliasError> {
        let (book, tenant) = (self.book(actor, holder).await?, actor.origin.tenant);
        let keys = self.holders.keys(actor, &[holder]).await?;
        // Who is erased has none.
        let Some(key) = keys.get(&holder) else { return Ok(Vec::new()) };
        let own = book.entries.into_iter().map(|entry| {
            let value = entry.value(tenant, key).ok_or(AliasError::Unreadable)?;
            Ok(Own { entry, value })
        });
        own.collect()
    }

    /// Takes a key of somebody's away. Doing it twice is no error.
    pub async fn remove(&self, actor: &Actor, holder: Uuid, alias: Uuid) -> Result<(), AliasError> {
        let tenant = actor.origin.tenant;
        for _ in 0..ATTEMPTS {
            let book = self.book(actor, holder).await?;
            let Some(entry) = book.entry(alias) else {
                return if book.was(alias) { Ok(()) } else { Err(nothing()) };
            };
            let keys = self.holders.keys(actor, &[holder]).await?;
            let key = keys.get(&holder).ok_or_else(nothing)?;
            let value = entry.value(tenant, key).ok_or(AliasError::Unreadable)?;
            let digests = self.holders.digests(tenant, entry.says.kind.claim(), &value)?;
            match self.dispose(actor, None, book.remove(entry, digests), unanswered()).await? {
                Disposed::Done(..) => return Ok(()),
                Disposed::Conflict(_) => {}
                Disposed::Replayed(_) | Disposed::Mismatch => return Err(WriteError::Defect.into()),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Finds whoever is paid by a key. Nobody, somebody erased and somebody who cannot be paid are one answer, and cost alike.
    pub async fn look_up(&self, actor: &Actor, asker: Uuid, alias: &Alias, now: Instant) -> Result<Found, AliasError> {
        let pepper = self.pepper()?;
        self.quota.take(asker)?;
        let Some((payee, masked)) = self.seek(actor, alias).await? else {
            self.quota.missed(asker);
            return Err(nothing());
        };
        let lookup_id = ticket::issue(pepper, (actor.origin.tenant, asker), payee, now);
        Ok(Found { lookup_id, name: masked.name, cpf: masked.cpf })
    }

    /// Whom a look-up has found, to its asker, and whether its time is over.
    pub fn payee(&self, tenant: Uuid, asker: Uuid, lookup_id: &str, now: Instant) -> Result<(Party, bool), AliasError> {
        ticket::read(self.pepper()?, (tenant, asker), lookup_id, now)
    }

    /// Takes what a look-up of anything costs that can be guessed.
    pub fn attempt(&self, asker: Uuid) -> Result<Attempt<'_>, AliasError> {
        self.quota.take(asker)?;
        Ok(Attempt { quota: &self.quota, asker })
    }

    /// Somebody has paid: what they may look up grows.
    pub fn paid(&self, payer: Uuid) {
        self.quota.paid(payer);
    }

    async fn seek(&self, actor: &Actor, alias: &Alias) -> Result<Option<(Party, Masked)>, AliasError> {
        let Some(holder) = self.holders.owner_by(actor, alias.kind.claim(), &alias.value).await? else {
            return Ok(None);
        };
        let book = self.book(actor, holder).await?;
        let is_meant = |entry: &&Entry| {
            let random = entry.says.random.map(|random| random.to_string());
            entry.says.kind == alias.kind && random.is_none_or(|random| random == *alias.value)
        };
        let Some(entry) = book.entries.iter().find(is_meant) else { return Ok(None) };
        let account = self.ledger.account(actor, entry.says.account).await?;
        let is_open = account.is_some_and(|account| account.status == Status::Open && account.receives);
        let details = match self.holders.find(actor, holder).await {
            Ok(found) => found.details,
            // After a restore from before their erasure: still nobody.
            Err(HolderError::KeyGone) => None,
            Err(error) => return Err(error.into()),
        };
        let payee = Party { holder, account: entry.says.account };
        Ok(details.filter(|_| is_open).map(|details| (payee, Masked::of(&details))))
    }

    /// A key that is about to be somebody's.
    async fn drawn(&self, actor: &Actor, who: Party, kind: Kind) -> Result<(AliasRegistered, Private), AliasError> {
        let (alias, tenant) = (fresh::new_id(), actor.origin.tenant);
        let says =
            |sealed, random| AliasRegistered { alias, holder: who.holder, account: who.account, kind, sealed, random };
        if kind == Kind::Random {
            // Not one that tells when it was made.
            let random = uuid::Builder::from_random_bytes(random::bytes()).into_uuid();
            return Ok((says(None, Some(random)), Private::new(random.to_string())));
        }
        let found = self.holders.find(actor, who.holder).await?;
        let details = found.details.ok_or_else(nothing)?;
        let value = kind.of(&details).ok_or_else(|| unknown(kind))?;
        let keys = self.holders.keys(actor, &[who.holder]).await?;
        let key = keys.get(&who.holder).ok_or_else(nothing)?;
        Ok((says(Some(book::seal(key, tenant, alias, &value)), None), value))
    }

    async fn book(&self, actor: &Actor, holder: Uuid) -> Result<Book, AliasError> {
        let own = book::stream(actor.origin.tenant, holder);
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, &[own]).await?;
        tx.commit().await?;
        Book::fold(own, &events).ok_or(AliasError::Unreadable)
    }

    async fn dispose(
        &self,
        actor: &Actor,
        request: Option<RequestKey>,
        decision: Decision,
        render: Render,
    ) -> Result<Disposed, AliasError> {
        let job = Job { origin: actor.origin.clone(), request, items: vec![decision.into()], render };
        Ok(self.shard(actor)?.dispose(job).await?)
    }

    fn shard(&self, actor: &Actor) -> Result<&Shard, WriteError> {
        self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)
    }

    fn pepper(&self) -> Result<&Pepper, SecretsError> {
        self.pepper.as_ref().ok_or(SecretsError::Unreachable { call: "kv read" })
    }
}

fn nothing() -> AliasError {
    Refusal::new(RefusalCode::NotFound, "there is nobody of this key").into()
}

fn unknown(kind: Kind) -> AliasError {
    let detail = format!("no {} is known of you", kind.as_str());
    Refusal::new(RefusalCode::ValidationFailed, detail).at("/kind").into()
}

impl std::fmt::Debug for Aliases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Aliases")
    }
}

//! Reading the ledger: what was recorded, read from the same tables that the writer appends to.
//!
//! A caller sees its own write at once, for there is no projection in between. Every read runs in
//! one short transaction as the tenant; nothing here decides anything.

use super::error::LedgerError;
use super::event;
use super::hold::Hold;
use super::known::{Identity, Known};
use super::service::{Actor, Ledger};
use super::store::accounts::{self, AccountFilter, AccountRow, AssetRow};
use super::store::{facts, holds, shards};
use super::view;
use crate::event_store::look_up::FoundRequest;
use crate::event_store::{EntryAfter, Recorded, head, read};
use crate::kernel::{Instant, metadata};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Events with the entries they left and the identities that they name: all that is needed to show them.
#[derive(Debug, Default)]
pub struct Facts {
    /// In the order asked for.
    pub events: Vec<Recorded>,
    /// By the event's position, in the order of its moves.
    pub entries: HashMap<i64, Vec<EntryAfter>>,
    /// Accounts and assets.
    pub known: Known,
}

impl Facts {
    /// The entries that events left.
    pub fn entries_of(&self, events: &[Recorded]) -> Vec<EntryAfter> {
        events.iter().filter_map(|event| self.entries.get(&event.position)).flatten().copied().collect()
    }
}

/// An applied item as an outline keeps it: its first event, and the versions of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Position of the first event.
    pub position: i64,
    /// In the order in which they were recorded.
    pub versions: Vec<i64>,
}

/// One event of the feed, with its leg's identities at hand.
#[derive(Debug)]
pub struct Window {
    /// The tenant's events, in order.
    pub events: Vec<Recorded>,
    /// Up to which position the log was looked at.
    pub next: i64,
}

/// How much of the log one call looks at: most of it may belong to other tenants.
const WINDOW: i64 = 10_000;

impl Ledger {
    /// The shards that the database knows.
    pub async fn shards(pool: &sqlx::PgPool) -> Result<Vec<i16>, LedgerError> {
        Ok(head::shards(pool).await?)
    }

    /// The shards that are halted. An error says that the database is away.
    pub async fn halted(&self) -> Result<Vec<i16>, LedgerError> {
        Ok(shards::halted(&self.reader).await?)
    }

    /// What was recorded at a position by one command: a capture is two events in a row.
    pub async fn recall(&self, actor: &Actor, position: i64) -> Result<Facts, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = self.command_at(&mut tx, actor, &[position]).await?.into_iter().flatten().collect();
        let facts = self.complete(&mut tx, actor, events).await?;
        tx.commit().await?;
        Ok(facts)
    }

    /// What was recorded by the items of a batch, item by item.
    pub async fn recall_batch(
        &self,
        actor: &Actor,
        traces: &[Trace],
    ) -> Result<(Vec<(Vec<Recorded>, Vec<EntryAfter>)>, Known), LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let positions: Vec<i64> = traces.iter().map(|trace| trace.position).collect();
        let items = self.command_at(&mut tx, actor, &positions).await?;
        let known = self.identities(&mut tx, actor, items.iter().flatten()).await?;
        let mut wanted = Vec::new();
        for (events, trace) in items.iter().zip(traces) {
            let moved = events.iter().flat_map(view::accounts_moved);
            let number = |id: Uuid| known.accounts.get(&id).map(|a| a.number);
            wanted
                .extend(moved.zip(&trace.versions).filter_map(|((id, _), version)| Some((id, number(id)?, *version))));
        }
        let mut entries = facts::entries_by_version(&mut tx, actor.shard, &wanted).await?.into_iter();
        tx.commit().await?;
        let items = items
            .into_iter()
            .zip(traces)
            .map(|(events, trace)| (events, entries.by_ref().take(trace.versions.len()).collect()));
        Ok((items.collect(), known))
    }

    /// A transaction with its reversals; `None` when there is none of this id.
    pub async fn transaction(&self, actor: &Actor, id: Uuid) -> Result<Option<Facts>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, &[id]).await?;
        if events.first().is_none_or(|first| first.kind != event::TRANSACTION_POSTED) {
            return Ok(None);
        }
        let facts = self.complete(&mut tx, actor, events).await?;
        tx.commit().await?;
        Ok(Some(facts))
    }

    /// Transactions that carry all of the members, newest first, before a position.
    pub async fn transactions_by_metadata(
        &self,
        actor: &Actor,
        members: &[(String, String)],
        before: i64,
        limit: i64,
    ) -> Result<Facts, LedgerError> {
        let digests: Vec<Uuid> = members.iter().map(|(key, value)| metadata::digest(key, value)).collect();
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let positions =
            facts::transactions_by_metadata(&mut tx, actor.shard, actor.origin.tenant, &digests, before, limit).await?;
        let events = self.command_at(&mut tx, actor, &positions).await?.into_iter().flatten().collect();
        let facts = self.complete(&mut tx, actor, events).await?;
        tx.commit().await?;
        Ok(facts)
    }

    /// A hold as it stands; `None` when there is none of this id.
    pub async fn hold(&self, actor: &Actor, id: Uuid) -> Result<Option<(Hold, Facts)>, LedgerError> {
        let (mut found, facts) = self.holds(actor, &[id]).await?;
        Ok(found.pop().map(|hold| (hold, facts)))
    }

    /// The open holds on an account, by id, after an id.
    pub async fn open_holds(
        &self,
        actor: &Actor,
        account: i64,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<(Vec<Hold>, Facts), LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let ids = holds::open_of_account(&mut tx, actor.shard, account, after, limit).await?;
        tx.commit().await?;
        self.holds(actor, &ids).await
    }

    async fn holds(&self, actor: &Actor, ids: &[Uuid]) -> Result<(Vec<Hold>, Facts), LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, ids).await?;
        let known = self.identities(&mut tx, actor, &events).await?;
        tx.commit().await?;
        let mut holds: Vec<Hold> = events.chunk_by(|a, b| a.stream == b.stream).filter_map(Hold::fold).collect();
        holds.sort_by_key(|hold| hold.id);
        Ok((holds, Facts { events, entries: HashMap::new(), known }))
    }

    /// An account as it stands; `None` when there is none of this id.
    pub async fn account(&self, actor: &Actor, id: Uuid) -> Result<Option<AccountRow>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let row = accounts::one(&mut tx, actor.shard, id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// What never changes about an account, from memory if it is there; `None` when there is none of this id.
    pub async fn identity(&self, actor: &Actor, id: Uuid) -> Result<Option<Arc<Identity>>, LedgerError> {
        Ok(self.known(actor, BTreeSet::from([id]), BTreeSet::new()).await?.accounts.remove(&id))
    }

    /// When an account was opened: its number is the position of that.
    pub async fn opened_at(&self, actor: &Actor, number: i64) -> Result<Option<Instant>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let opened = facts::events_at(&mut tx, actor.shard, &[number]).await?.remove(&number);
        tx.commit().await?;
        Ok(opened.map(|event| event.recorded_at))
    }

    /// Accounts in the order of their opening, after a number.
    pub async fn accounts(
        &self,
        actor: &Actor,
        filter: &AccountFilter,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AccountRow>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let rows = accounts::list(&mut tx, actor.shard, actor.origin.tenant, filter, after, limit).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Assets by code, after a code; or the one asked for.
    pub async fn assets(
        &self,
        actor: &Actor,
        code: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<AssetRow>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let rows = accounts::assets(&mut tx, actor.shard, actor.origin.tenant, code, after, limit).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// What was answered under a key of the principal.
    pub async fn request(
        &self,
        actor: &Actor,
        principal: Uuid,
        key: &str,
    ) -> Result<Option<FoundRequest>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let found = facts::request(&mut tx, actor.shard, (actor.origin.tenant, principal, key.to_owned())).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The tenant's events after a position, in order, and where to go on.
    pub async fn events(&self, actor: &Actor, after: i64, limit: i64) -> Result<Window, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let newest = read::point(&mut tx, actor.shard, None).await?.position;
        let to = newest.min(after.saturating_add(WINDOW));
        let events = if to > after { read::window(&mut tx, actor.shard, after, to, limit).await? } else { Vec::new() };
        tx.commit().await?;
        let is_full = i64::try_from(events.len()).is_ok_and(|count| count >= limit);
        let next = events.last().filter(|_| is_full).map_or(to.max(after), |last| last.position);
        Ok(Window { events, next })
    }

    /// The events of commands by their first positions; a capture or payment has a second, the posting that it caused.
    async fn command_at(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        positions: &[i64],
    ) -> Result<Vec<Vec<Recorded>>, LedgerError> {
        let wanted: Vec<i64> = positions.iter().flat_map(|position| [*position, *position + 1]).collect();
        let mut found = facts::events_at(tx, actor.shard, &wanted).await?;
        let take = |position: &i64| {
            let first = found.remove(position)?;
            let next = position + 1;
            let is_caused = found.get(&next).is_some_and(|second| event::cause(second) == Some(first.stream));
            let second = is_caused.then(|| found.remove(&next)).flatten();
            Some(std::iter::once(first).chain(second).collect())
        };
        Ok(positions.iter().map(take).map(Option::unwrap_or_default).collect())
    }

    /// Adds the entries that the events left and the identities that they name.
    async fn complete(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        events: Vec<Recorded>,
    ) -> Result<Facts, LedgerError> {
        let wanted: Vec<(Uuid, i64)> = events.iter().flat_map(view::accounts_moved).collect();
        let mut entries: HashMap<i64, Vec<EntryAfter>> = HashMap::new();
        if !wanted.is_empty() {
            for entry in read::entries(tx, actor.shard, &wanted).await? {
                entries.entry(entry.position).or_default().push(entry);
            }
        }
        let known = self.identities(tx, actor, &events).await?;
        Ok(Facts { events, entries, known })
    }

    /// Who accounts are and how fine assets; what does not exist is absent.
    pub async fn known(
        &self,
        actor: &Actor,
        accounts: BTreeSet<Uuid>,
        assets: BTreeSet<String>,
    ) -> Result<Known, LedgerError> {
        let (mut known, tenant) = (Known::default(), actor.origin.tenant);
        let missing = self.directory.recall(tenant, &accounts, &assets, &mut known);
        if !missing.is_empty() {
            let mut tx = read::tenant_tx(&self.reader, tenant).await?;
            self.directory.read(&mut tx, actor.shard, tenant, &missing, &mut known).await?;
            tx.commit().await?;
        }
        Ok(known)
    }

    async fn identities(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        events: impl IntoIterator<Item = &Recorded>,
    ) -> Result<Known, LedgerError> {
        let mut ids = BTreeSet::new();
        for recorded in events {
            if recorded.kind == event::ACCOUNT_CHANGED {
                ids.insert(recorded.stream);
            }
            ids.extend(view::accounts_moved(recorded).into_iter().map(|moved| moved.0));
        }
        let mut known = Known::default();
        self.resolve(tx, actor, &ids, &mut known).await?;
        Ok(known)
    }
}

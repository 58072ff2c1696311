//! The use cases: load, decide, hand to the shard's writer; decide again if the world moved on.

use super::command::{Grouped, Loaded};
use super::directory::Directory;
use super::error::LedgerError;
use super::known::Known;
use crate::event_store::overlay::Origin;
use crate::event_store::{Answer, Decision, Disposed, Done, Item, Job, RequestKey, Shard, WriteError, read};
use crate::kernel::{Refusal, RefusalCode};
use sqlx::{PgConnection, PgPool};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// A proposal that lost so often competes with too many others.
const ATTEMPTS: usize = 5;

/// The ledger's service: one per process.
#[derive(Clone)]
pub struct Ledger {
    pub(super) reader: PgPool,
    shards: HashMap<i16, Shard>,
    pub(super) directory: Directory,
}

/// Who acts, and where their tenant lives.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The tenant's shard.
    pub shard: i16,
    /// Tenant, actor and trace.
    pub origin: Origin,
}

/// One write request: a single command or a batch.
#[derive(Clone)]
pub struct WriteRequest {
    /// The idempotency key; internal requests (clocks) have none.
    pub key: Option<RequestKey>,
    /// What to do, in order.
    pub commands: Vec<Grouped>,
    /// Whether it came as a batch: then what one item names wrongly does not stop the others.
    pub is_batch: bool,
    /// Makes the answer to store.
    pub render: Render,
}

/// Makes the answer to store, with the identities at hand.
pub type Render = Arc<dyn Fn(&Done, &Known) -> Answer + Send + Sync>;

/// What became of a request, with the identities that its answer names.
#[derive(Debug)]
pub struct Executed {
    /// The writer's last word; never a conflict.
    pub disposed: Disposed,
    /// Accounts and assets.
    pub known: Arc<Known>,
}

impl Ledger {
    /// A ledger over leased connections and the writers of its shards.
    pub fn new(reader: PgPool, shards: HashMap<i16, Shard>, cached_accounts: u64) -> Self {
        Self { reader, shards, directory: Directory::new(cached_accounts) }
    }

    /// The writer of a shard.
    pub fn shard(&self, shard: i16) -> Option<&Shard> {
        self.shards.get(&shard)
    }

    /// The shards that this process writes, by their numbers.
    pub fn writers(&self) -> impl Iterator<Item = (i16, &Shard)> {
        self.shards.iter().map(|(number, shard)| (*number, shard))
    }

    /// Connections for reads: how many there are, and how many of them rest.
    pub fn reader_connections(&self) -> (u32, usize) {
        (self.reader.size(), self.reader.num_idle())
    }

    /// Does one command or a batch of them, under a key, in one commit.
    pub async fn execute(&self, actor: &Actor, request: &WriteRequest) -> Result<Executed, LedgerError> {
        let shard = self.shards.get(&actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let mut refused = HashSet::new();
        for attempt in 0..ATTEMPTS {
            let mut loaded = self.load(actor, &request.commands, attempt > 0).await?;
            let items = decide(actor.origin.tenant, request, &mut loaded, &refused)?;
            let known = Arc::new(loaded.known);
            let (render, names) = (request.render.clone(), known.clone());
            let job = Job {
                origin: actor.origin.clone(),
                request: request.key.clone(),
                items,
                render: Arc::new(move |done| render(done, &names)),
            };
            match shard.dispose(job).await? {
                Disposed::Conflict(indexes) => refused = indexes.into_iter().collect(),
                disposed => return Ok(Executed { disposed, known }),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Does what a context decides on what is known, and decides again when that has moved on meanwhile. Without a key it is idempotent
    /// by its own streams.
    pub async fn decided<E: From<WriteError>>(
        &self,
        actor: &Actor,
        key: Option<&RequestKey>,
        render: &Render,
        decide: impl AsyncFn() -> Result<(Decision, Known), E>,
    ) -> Result<Executed, E> {
        for _ in 0..ATTEMPTS {
            let (decision, known) = decide().await?;
            let known = Arc::new(known);
            let (render, names) = (render.clone(), known.clone());
            let job = Job {
                origin: actor.origin.clone(),
                request: key.cloned(),
                items: vec![decision.into()],
                render: Arc::new(move |done| render(done, &names)),
            };
            let shard = self.shards.get(&actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
            match shard.dispose(job).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(Executed { disposed, known }),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Reads what the commands need. A posting between remembered accounts needs no look-up at all.
    async fn load(&self, actor: &Actor, commands: &[Grouped], again: bool) -> Result<Loaded, LedgerError> {
        let tenant = actor.origin.tenant;
        let mut loaded = Loaded::default();
        let (mut accounts, mut assets) = (BTreeSet::new(), BTreeSet::new());
        let mut streams = BTreeSet::new();
        for Grouped { command, .. } in commands {
            command.names(tenant, again, &mut accounts, &mut assets);
            streams.extend(command.aggregate());
            streams.extend(command.beside(tenant));
            streams.extend(command.callers_id().filter(|_| again));
        }
        let missing = self.directory.recall(tenant, &accounts, &assets, &mut loaded.known);
        if streams.is_empty() && missing.is_empty() {
            return Ok(loaded);
        }
        let mut tx = read::tenant_tx(&self.reader, tenant).await?;
        if !missing.is_empty() {
            self.directory.read(&mut tx, actor.shard, tenant, &missing, &mut loaded.known).await?;
        }
        if !streams.is_empty() {
            self.load_streams(&mut tx, actor, commands, &streams, &mut loaded).await?;
        }
        tx.commit().await?;
        Ok(loaded)
    }

    async fn load_streams(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        commands: &[Grouped],
        streams: &BTreeSet<Uuid>,
        loaded: &mut Loaded,
    ) -> Result<(), LedgerError> {
        let tenant = actor.origin.tenant;
        let streams: Vec<Uuid> = streams.iter().copied().collect();
        for event in read::streams(tx, actor.shard, &streams).await? {
            loaded.streams.entry(event.stream).or_default().push(event);
        }
        loaded.fold_holds();
        let mut accounts = BTreeSet::new();
        loaded.leg_accounts(&mut accounts);
        self.resolve(tx, actor, &accounts, &mut loaded.known).await?;
        let destinations: BTreeSet<Uuid> =
            commands.iter().filter_map(|c| loaded.destination(&c.command, tenant)).collect();
        self.resolve(tx, actor, &destinations, &mut loaded.known).await?;
        let before: Vec<Uuid> = commands
            .iter()
            .filter_map(|c| c.command.callers_id())
            .filter(|id| loaded.streams.contains_key(id))
            .collect();
        self.load_entries(tx, actor, &before, loaded).await
    }

    /// The balances that items applied before left behind, to answer them again.
    async fn load_entries(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        streams: &[Uuid],
        loaded: &mut Loaded,
    ) -> Result<(), LedgerError> {
        let first = streams.iter().filter_map(|id| loaded.streams.get(id)?.first());
        let wanted: Vec<(Uuid, i64)> = first.flat_map(super::view::accounts_moved).collect();
        if !wanted.is_empty() {
            for entry in read::entries(tx, actor.shard, &wanted).await? {
                loaded.entries.entry(entry.position).or_default().push(entry);
            }
        }
        Ok(())
    }

    /// Adds identities to what is known.
    pub(super) async fn resolve(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        accounts: &BTreeSet<Uuid>,
        known: &mut Known,
    ) -> Result<(), LedgerError> {
        let missing = self.directory.recall(actor.origin.tenant, accounts, &BTreeSet::new(), known);
        if !missing.is_empty() {
            self.directory.read(tx, actor.shard, actor.origin.tenant, &missing, known).await?;
        }
        Ok(())
    }
}

/// Decides item by item. An item builds on what the ones before it will have done, except those
/// that the writer refused in the attempt before.
fn decide(
    tenant: Uuid,
    request: &WriteRequest,
    loaded: &mut Loaded,
    refused: &HashSet<usize>,
) -> Result<Vec<Item>, LedgerError> {
    let mut ids = HashSet::new();
    let mut items = Vec::with_capacity(request.commands.len());
    for (index, Grouped { command, group }) in request.commands.iter().enumerate() {
        let below = |refusal: Refusal| {
            if request.is_batch { refusal.below(&format!("/items/{index}/{}", command.member())) } else { refusal }
        };
        if command.begins(tenant).is_some_and(|id| !ids.insert(id)) {
            let member = if command.callers_id().is_some() { "/id" } else { "/name" };
            let twice = format!("the {} stands twice in the batch", &member[1..]);
            return Err(below(Refusal::new(RefusalCode::ValidationFailed, twice).at(member)).into());
        }
        let decision = match command.decide(tenant, loaded) {
            Ok(decision) => decision,
            Err(refusal) if request.is_batch && refusal.code == RefusalCode::NotFound => {
                Decision::Refuse(refusal, Vec::new())
            }
            Err(refusal) => return Err(below(refusal).into()),
        };
        if !refused.contains(&index) {
            loaded.assume(&decision);
        }
        items.push(Item { decision, group: group.clone() });
    }
    Ok(items)
}

//! Finding people by another key: their look-up rows written anew while everybody is registered, found and erased.
//!
//! Every process looks for all keys of the ring and writes under all of them, so the only rows that lack the newest key
//! are older than it. Each is opened by its owner's key, and the row under the new key is added beside it. What is done
//! is in the rows, so a run that was interrupted goes on where it stopped.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use uuid::Uuid;

use super::kinds::Opener;
use crate::event_store::reindex::{self as store, Held};
use crate::event_store::{head, read};
use crate::secrets::people::PersonKeys;
use crate::secrets::{BlindIndex, SecretsError};
use crate::verify::Progress;

/// Rows of one page: one call to Vault and a few milliseconds of the shard's lock.
const PAGE: i64 = 500;

/// Why rows were not written anew.
#[derive(Debug, thiserror::Error)]
pub enum ReindexError {
    /// Vault or the database of keys.
    #[error("the keys of people are not to be had")]
    Secrets(#[from] SecretsError),
    /// The database.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
    /// Some rows cannot be: the old key has to stay.
    #[error("{count} look-up rows cannot be written anew, such as the one of {owner}: {why}")]
    Left {
        /// How many.
        count: u64,
        /// Whose the first of them is.
        owner: Uuid,
        /// Why that one cannot.
        why: Obstacle,
    },
}

/// Why one row cannot be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The log knows of no erasure.
    #[error("the key of this person was destroyed; erase them, so that the log says so")]
    KeyGone,
    /// Another key, or another value than the one that the digest was made of.
    #[error("what the log says of this person is not what the row was made of; see what `vintem verify` finds")]
    Unreadable,
    /// A newer version of the product made it.
    #[error("this version does not know where the value of such a row is kept")]
    UnknownKind,
    /// Halted, or somebody else has the same number.
    #[error("the row was not taken; see whether the shard is halted, and what `vintem verify` finds")]
    NotTaken,
}

/// Writes look-up rows anew. Needs a pool of the role writer, and people's keys over one of the role indexer.
pub struct Indexer {
    writer: PgPool,
    keys: PersonKeys,
    told: Mutex<Box<dyn Progress>>,
}

/// From one version of the key to another.
struct Pass<'a> {
    index: &'a BlindIndex,
    shard: i16,
    versions: (i16, i16),
    left: Vec<(Uuid, Obstacle)>,
}

impl Indexer {
    /// Tells how far it has come.
    pub fn new(writer: PgPool, keys: PersonKeys, told: Box<dyn Progress>) -> Self {
        Self { writer, keys, told: Mutex::new(told) }
    }

    /// Sees to it that each row of the old version has one of the new version beside it. `index` has both keys.
    pub async fn index(&self, index: &BlindIndex, old: i16, new: i16) -> Result<(), ReindexError> {
        let mut session = self.writer.acquire().await?;
        self.begin("rows to index", store::count(&mut session, old).await?);
        let mut left = Vec::new();
        for shard in head::shards(&mut *session).await? {
            let mut pass = Pass { index, shard, versions: (old, new), left: Vec::new() };
            let mut after = None;
            loop {
                let page = store::page(&mut session, shard, old, after.as_ref(), PAGE).await?;
                self.renew(&mut session, &mut pass, &page).await?;
                self.add(page.len());
                after = page.into_iter().next_back();
                if after.is_none() {
                    break;
                }
            }
            left.extend(pass.left);
        }
        match left.first() {
            None => Ok(()),
            Some(&(owner, why)) => Err(ReindexError::Left { count: left.len() as u64, owner, why }),
        }
    }

    /// A version of which there are rows although its key is none of these.
    pub async fn left_over(&self, known: &[i16]) -> Result<Option<i16>, ReindexError> {
        Ok(store::left_over(&mut *self.writer.acquire().await?, known).await?)
    }

    /// Deletes every row of a version.
    pub async fn delete(&self, version: i16) -> Result<(), ReindexError> {
        let mut session = self.writer.acquire().await?;
        self.begin("old rows", store::count(&mut session, version).await?);
        for shard in head::shards(&mut *session).await? {
            let mut after = None;
            loop {
                let page = store::page(&mut session, shard, version, after.as_ref(), PAGE).await?;
                store::delete(&mut session, shard, version, &page).await?;
                self.add(page.len());
                after = page.into_iter().next_back();
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn renew(
        &self,
        session: &mut PoolConnection<Postgres>,
        pass: &mut Pass<'_>,
        page: &[Held],
    ) -> Result<(), ReindexError> {
        let owners: Vec<Uuid> = page.iter().map(|held| held.owner).collect();
        let to_do = store::incomplete(session, pass.shard, pass.versions, &owners).await?;
        let mut tenants: BTreeMap<Uuid, Vec<&Held>> = BTreeMap::new();
        for held in page.iter().filter(|held| to_do.contains(&(held.owner, held.kind.clone()))) {
            tenants.entry(held.tenant).or_default().push(held);
        }
        if tenants.is_empty() {
            return Ok(());
        }
        let (mut renewed, mut obstacles) = (Vec::new(), HashMap::new());
        for (tenant, rows) in &tenants {
            for (held, digest) in self.open(session, pass, *tenant, rows).await? {
                match digest {
                    Ok(digest) => renewed.push((held.clone(), digest)),
                    Err(why) => _ = obstacles.insert(held.owner, why),
                }
            }
        }
        store::add(session, pass.shard, pass.versions, &renewed).await?;
        // Asked again, because whoever was erased meanwhile has no rows any more, and rightly so.
        let left = store::incomplete(session, pass.shard, pass.versions, &owners).await?;
        let left = tenants.into_values().flatten().filter(|held| left.contains(&(held.owner, held.kind.clone())));
        let why = |owner| obstacles.get(&owner).copied().unwrap_or(Obstacle::NotTaken);
        pass.left.extend(left.map(|held| (held.owner, why(held.owner))));
        Ok(())
    }

    /// The new digests of some rows of one tenant, or why there is none.
    async fn open<'h>(
        &self,
        session: &mut PoolConnection<Postgres>,
        pass: &Pass<'_>,
        tenant: Uuid,
        rows: &[&'h Held],
    ) -> Result<Vec<(&'h Held, Result<[u8; 32], Obstacle>)>, ReindexError> {
        let owners: Vec<Uuid> = rows.iter().map(|held| held.owner).collect();
        let keys = self.keys.find(tenant, &owners).await?;
        let stream = |held: &&Held| Some(Opener::of(&held.kind)?.stream(tenant, held.owner));
        let streams: Vec<Uuid> = rows.iter().filter_map(stream).collect();
        let events = read::streams(session, pass.shard, &streams).await?;
        let renewed = |held: &Held| {
            let opener = Opener::of(&held.kind).ok_or(Obstacle::UnknownKind)?;
            let key = keys.get(&held.owner).ok_or(Obstacle::KeyGone)?;
            let stream = opener.stream(tenant, held.owner);
            let range = events.partition_point(|event| event.stream < stream)
                ..events.partition_point(|event| event.stream <= stream);
            let values = opener.open(&events[range], tenant, key).ok_or(Obstacle::Unreadable)?;
            values.iter().find_map(|value| pass.renewed(held, value)).ok_or(Obstacle::Unreadable)
        };
        Ok(rows.iter().map(|held| (*held, renewed(held))).collect())
    }

    fn begin(&self, what: &'static str, total: i64) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).begin(what, total.unsigned_abs());
    }

    fn add(&self, count: usize) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).add(count as u64);
    }
}

impl Pass<'_> {
    /// The new digest of a value, if it is the one that the row was made of.
    fn renewed(&self, held: &Held, value: &str) -> Option<[u8; 32]> {
        let digests = self.index.digests(held.tenant, &held.kind, value);
        let under = |wanted| digests.iter().find(|(version, _)| *version == wanted).map(|(_, digest)| *digest);
        let (old, new) = self.versions;
        under(old).filter(|digest| digest[..] == held.digest[..]).and_then(|_| under(new))
    }
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Indexer")
    }
}

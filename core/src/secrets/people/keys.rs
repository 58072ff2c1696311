//! Keys at hand: made, fetched, remembered for a while, destroyed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use moka::sync::Cache;
use sqlx::PgPool;
use uuid::Uuid;

use super::super::client::Vault;
use super::super::error::SecretsError;
use super::envelope::DataKey;
use super::store;
use super::transit::Person;

/// Keys in memory: a few hundred bytes each.
const KEYS: u64 = 20_000;
/// A key is fetched anew after this long, also if it is in constant use.
const LIFE: Duration = Duration::from_mins(15);
/// How often it is looked whether the keys in memory still have their rows.
pub const GLANCE: Duration = Duration::from_secs(20);
/// So many glances in a row may fail. Twice [`GLANCE`] is below the minute that an erasure promises.
const BLIND: u32 = 2;

/// The keys of people, for who may seal and open. Cheap to clone.
#[derive(Clone)]
pub struct PersonKeys(Arc<Inner>);

struct Inner {
    vault: Vault,
    keeper: PgPool,
    known: Cache<Person, Arc<DataKey>>,
}

impl PersonKeys {
    /// Over a pool of the role keeper, in the database of keys. Begins to look after what it remembers.
    pub fn new(vault: Vault, keeper: PgPool) -> Self {
        let known = Cache::builder().max_capacity(KEYS).time_to_live(LIFE).build();
        let inner = Arc::new(Inner { vault, keeper, known });
        tokio::spawn(watch(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// Makes a person's key, and keeps it before anybody can use it.
    pub async fn create(&self, tenant: Uuid, person: Uuid) -> Result<Arc<DataKey>, SecretsError> {
        let (key, wrapped) = self.0.vault.make_key((tenant, person)).await?;
        store::insert(&self.0.keeper, tenant, person, &wrapped).await.map_err(away)?;
        let key = Arc::new(key);
        self.0.known.insert((tenant, person), key.clone());
        Ok(key)
    }

    /// The keys of those who have one: from memory, and the rest with one call to Vault for all of them.
    pub async fn find(&self, tenant: Uuid, people: &[Uuid]) -> Result<HashMap<Uuid, Arc<DataKey>>, SecretsError> {
        let mut found = HashMap::with_capacity(people.len());
        let mut missing = Vec::new();
        for person in people {
            match self.0.known.get(&(tenant, *person)) {
                Some(key) => _ = found.insert(*person, key),
                None => missing.push(*person),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let rows = store::find(&self.0.keeper, tenant, &missing).await.map_err(away)?;
        if rows.is_empty() {
            return Ok(found);
        }
        let wrapped: Vec<_> = rows.iter().map(|(person, wrapped)| ((tenant, *person), wrapped.as_str())).collect();
        let keys = self.0.vault.unwrap_keys(&wrapped).await?;
        for ((person, _), key) in rows.iter().zip(keys) {
            let key = Arc::new(key);
            self.0.known.insert((tenant, *person), key.clone());
            found.insert(*person, key);
        }
        Ok(found)
    }

    /// Destroys a person's key, here and where it is kept. May be repeated.
    pub async fn destroy(&self, tenant: Uuid, person: Uuid) -> Result<(), SecretsError> {
        self.0.forget(tenant, person);
        let deleted = store::delete(&self.0.keeper, tenant, person).await.map_err(away);
        // Whoever fetched it between these two has put it back.
        self.0.forget(tenant, person);
        deleted
    }

    /// Whether a key is in memory, for tests and metrics.
    pub fn remembers(&self, tenant: Uuid, person: Uuid) -> bool {
        self.0.known.contains_key(&(tenant, person))
    }

    /// Drops the keys whose rows are gone. Runs by itself every [`GLANCE`].
    pub async fn look_after(&self) -> Result<(), SecretsError> {
        self.0.look_after().await
    }
}

impl Inner {
    fn forget(&self, tenant: Uuid, person: Uuid) {
        self.known.invalidate(&(tenant, person));
        // Invalidating takes it out of reach; this drops it, and dropping overwrites it.
        self.known.run_pending_tasks();
    }

    async fn look_after(&self) -> Result<(), SecretsError> {
        let mut tenants: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for (of, _) in &self.known {
            let (tenant, person) = *of;
            tenants.entry(tenant).or_default().push(person);
        }
        for (tenant, people) in tenants {
            let present = store::present(&self.keeper, tenant, &people).await.map_err(away)?;
            let present: std::collections::HashSet<Uuid> = present.into_iter().collect();
            for person in people.into_iter().filter(|person| !present.contains(person)) {
                self.known.invalidate(&(tenant, person));
            }
        }
        self.known.run_pending_tasks();
        Ok(())
    }
}

/// Looks after the keys in memory until nobody has them any more.
async fn watch(inner: Weak<Inner>) {
    let mut failed = 0;
    loop {
        tokio::time::sleep(GLANCE).await;
        let Some(inner) = inner.upgrade() else { return };
        match inner.look_after().await {
            Ok(()) => failed = 0,
            Err(error) => {
                failed += 1;
                tracing::warn!(%error, failed, "it cannot be seen whether the keys of people are still to be kept");
            }
        }
        // An erasure may have happened that nobody can tell us of.
        if failed >= BLIND {
            inner.known.invalidate_all();
            inner.known.run_pending_tasks();
        }
    }
}

fn away(source: sqlx::Error) -> SecretsError {
    SecretsError::KeyDatabase { source }
}

impl std::fmt::Debug for PersonKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonKeys")
    }
}

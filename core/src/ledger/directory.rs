//! Resolving accounts and assets: a bounded memory of what never changes.
//!
//! Identities are immutable facts, so an entry here is never stale; only a recovery, which may
//! abandon an account's opening, empties it.

use super::known::{Identity, Known};
use super::store::identities;
use moka::sync::Cache;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// The memory, shared by all requests of a process.
#[derive(Debug, Clone)]
pub struct Directory {
    accounts: Cache<(Uuid, Uuid), Arc<Identity>>,
    assets: Cache<(Uuid, String), u8>,
}

/// What of a request is not in memory.
#[derive(Debug, Default)]
pub struct Missing {
    accounts: Vec<Uuid>,
    assets: Vec<String>,
}

impl Missing {
    /// Whether everything was in memory.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.assets.is_empty()
    }
}

impl Directory {
    /// Remembers up to this many accounts.
    pub fn new(accounts: u64) -> Self {
        Self { accounts: Cache::new(accounts), assets: Cache::new(10_000) }
    }

    /// Fills `known` from memory; answers what must be read.
    pub fn recall(
        &self,
        tenant: Uuid,
        accounts: &BTreeSet<Uuid>,
        assets: &BTreeSet<String>,
        known: &mut Known,
    ) -> Missing {
        let mut missing = Missing::default();
        for id in accounts.iter().filter(|id| !known.accounts.contains_key(id)).collect::<Vec<_>>() {
            match self.accounts.get(&(tenant, *id)) {
                Some(identity) => _ = known.accounts.insert(*id, identity),
                None => missing.accounts.push(*id),
            }
        }
        for code in assets.iter().filter(|code| !known.assets.contains_key(*code)).collect::<Vec<_>>() {
            match self.assets.get(&(tenant, code.clone())) {
                Some(scale) => _ = known.assets.insert(code.clone(), scale),
                None => missing.assets.push(code.clone()),
            }
        }
        missing
    }

    /// Reads what was missing, and remembers what exists.
    pub async fn read(
        &self,
        tx: &mut PgConnection,
        shard: i16,
        tenant: Uuid,
        missing: &Missing,
        known: &mut Known,
    ) -> Result<(), sqlx::Error> {
        let (mut accounts, mut assets) = (HashMap::new(), HashMap::new());
        if !missing.accounts.is_empty() {
            accounts = identities::accounts(tx, shard, &missing.accounts).await?;
        }
        if !missing.assets.is_empty() {
            assets = identities::scales(tx, shard, tenant, &missing.assets).await?;
        }
        for (id, identity) in &accounts {
            self.accounts.insert((tenant, *id), identity.clone());
        }
        for (code, scale) in &assets {
            self.assets.insert((tenant, code.clone()), *scale);
        }
        known.accounts.extend(accounts);
        known.assets.extend(assets);
        Ok(())
    }

    /// Forgets everything, after a recovery.
    pub fn forget(&self) {
        self.accounts.invalidate_all();
        self.assets.invalidate_all();
    }
}

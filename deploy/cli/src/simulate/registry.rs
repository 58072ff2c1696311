//! The API's own rights, in this process, for as long as citizens settle: their keys come from Vault and their facts from its writer.

use std::sync::Arc;

use uuid::Uuid;

use vintem_core::citizens::{Citizens, Knows};
use vintem_core::event_store::overlay::Origin;
use vintem_core::event_store::{Limits, Shard};
use vintem_core::holders::{Holders, Personal};
use vintem_core::ledger::service::{Actor, Ledger};
use vintem_core::look_ups::AllLookUps;
use vintem_core::messages::Messenger;
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{
    BlindIndex, DatabaseRole, FOLLOW_EVERY, LeasedDatabase, RequestDigest, Vault, WrappingToken,
};
use vintem_core::telemetry::clock;

use super::SimulationError;
use crate::stack::{Stack, first, servers};

const CONNECTIONS: u32 = 2;
const CACHED_ACCOUNTS: u64 = 1_000;
const WRITER: Limits = Limits { queue: 100, cached_accounts: 1_000 };
/// As events name who settled everybody.
const ACTOR: &str = "simulation";

/// Who may settle citizens.
pub struct Registry {
    vault: Vault,
    leases: [LeasedDatabase; 4],
    /// Citizens of every tenant.
    pub citizens: Citizens,
    shard: i16,
}

impl Registry {
    /// Logs in to a stack as its API does.
    pub async fn of(stack: &Stack) -> Result<Self, SimulationError> {
        let (settings, shard) = (first::settings(stack, servers::API.name).await?, first::SHARD);
        let wrapping = WrappingToken::new(stack.wrapped_secret_id(servers::API.name).await?);
        let vault = Vault::login(settings.vault.clone(), wrapping).await?;
        let ledger = |role| LeasedDatabase::connect(&vault, &settings.database, role, CONNECTIONS);
        let (reader, writer) = (ledger(DatabaseRole::Reader).await?, ledger(DatabaseRole::Writer).await?);
        let editor = ledger(DatabaseRole::Editor).await?;
        let keeper = LeasedDatabase::connect(&vault, &settings.keys, DatabaseRole::Keeper, CONNECTIONS).await?;
        let personal = Personal {
            keys: PersonKeys::new(vault.clone(), keeper.pool().clone()),
            index: BlindIndex::follow(&vault, FOLLOW_EVERY).await?,
            requests: RequestDigest::read(&vault).await?,
        };
        let current = writer.clone();
        let started = Shard::start(shard, Arc::new(move || current.current()), Arc::new(AllLookUps), WRITER);
        let shards = std::collections::HashMap::from([(shard, started)]);
        let read = reader.pool().clone();
        let holders = Holders::new(read.clone(), shards.clone(), Some(personal.clone()));
        let citizens = Citizens::new(
            (read.clone(), editor.pool().clone()),
            Ledger::new(read, shards, CACHED_ACCOUNTS),
            holders,
            Some(Knows::of(&personal)),
            Messenger::nowhere(),
            Arc::new(clock::now),
        );
        Ok(Self { vault, leases: [reader, writer, editor, keeper], citizens, shard })
    }

    /// Whoever settles citizens of a tenant.
    pub async fn actor(&self, tenant: &str) -> Result<Actor, SimulationError> {
        let of = self.citizens.door(tenant).await?;
        let tenant: Uuid = of.ok_or_else(|| SimulationError::Unexpected(format!("no tenant {tenant}")))?.tenant;
        Ok(Actor { shard: self.shard, origin: Origin::command(tenant, ACTOR) })
    }

    /// Gives everything back.
    pub async fn close(self) {
        for lease in &self.leases {
            lease.close().await;
        }
        self.vault.logout().await;
    }
}

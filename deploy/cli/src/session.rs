//! A command's way in: settings from the environment, a wrapped secret id from standard input, a
//! leased database user; and out again, so that nothing of it lives on.

use std::collections::HashMap;
use std::error::Error;
use std::io::IsTerminal as _;
use std::sync::Arc;

use sqlx::migrate::MigrateError;
use vintem_core::event_store::{Limits, Shard};
use vintem_core::look_ups::AllLookUps;
use vintem_core::migrations;
use vintem_core::secrets::{
    DatabaseRole, DatabaseSettings, LeasedDatabase, LoginMethod, ProcessSettings, SecretsError, Vault, WrappingToken,
};
use vintem_core::telemetry::{self, TelemetryGuard};

use crate::stack::ui;

/// Enough for one command; it is not in a hurry.
const CONNECTIONS: u32 = 4;
/// A command touches few accounts.
const WRITER: Limits = Limits { queue: 1_000, cached_accounts: 1_000 };

/// Why a schema is not of this version.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A migration.
    #[error("a migration failed")]
    Failed(#[from] MigrateError),
    /// The user for the database of keys.
    #[error("the database of keys cannot be entered")]
    Secrets(#[from] SecretsError),
}

/// What a command works with.
pub struct Session {
    vault: Vault,
    keys: DatabaseSettings,
    database: LeasedDatabase,
    writers: HashMap<i16, Shard>,
    telemetry: Option<TelemetryGuard>,
}

impl Session {
    /// Logs in with the wrapping token on standard input and leases a user of the role.
    pub async fn open(role: DatabaseRole) -> Result<Self, Box<dyn Error>> {
        let settings = ProcessSettings::from_env()?;
        let telemetry = telemetry::init(&settings.telemetry, "vintem")?;
        let is_asked = matches!(settings.vault.login, LoginMethod::AppRole { .. });
        if is_asked && std::io::stdin().is_terminal() {
            ui::say("waiting for one line: a wrapping token of a secret id of this role");
        }
        let vault = Vault::connect(settings.vault).await?;
        let session = Self::lease(vault, settings.database, settings.keys, role).await?;
        Ok(Self { telemetry: Some(telemetry), ..session })
    }

    /// The same with settings and token at hand, for a command that is several processes in one.
    pub async fn log_in(
        settings: ProcessSettings,
        wrapping: WrappingToken,
        role: DatabaseRole,
    ) -> Result<Self, SecretsError> {
        Self::lease(Vault::login(settings.vault, wrapping).await?, settings.database, settings.keys, role).await
    }

    async fn lease(
        vault: Vault,
        ledger: DatabaseSettings,
        keys: DatabaseSettings,
        role: DatabaseRole,
    ) -> Result<Self, SecretsError> {
        let of_keys = matches!(role, DatabaseRole::Rewrapper | DatabaseRole::Indexer | DatabaseRole::KeysMigrator);
        let place = if of_keys { &keys } else { &ledger };
        let database = LeasedDatabase::connect(&vault, place, role, CONNECTIONS).await?;
        Ok(Self { vault, keys, database, writers: HashMap::new(), telemetry: None })
    }

    /// Vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The leased database.
    pub fn database(&self) -> &LeasedDatabase {
        &self.database
    }

    /// The database of people's keys besides, as one of its roles. Whoever asks closes it.
    pub async fn keys(&self, role: DatabaseRole, connections: u32) -> Result<LeasedDatabase, SecretsError> {
        LeasedDatabase::connect(&self.vault, &self.keys, role, connections).await
    }

    /// Brings both databases to the schema of this version, for the migrator.
    pub async fn migrate(&self) -> Result<(), MigrationError> {
        let mut connection = self.database.pool().acquire().await.map_err(MigrateError::from)?;
        migrations::run(&mut connection).await?;
        let keys = self.keys(DatabaseRole::KeysMigrator, 1).await?;
        let mut connection = keys.pool().acquire().await.map_err(MigrateError::from)?;
        let migrated = migrations::run_keys(&mut connection).await;
        drop(connection);
        keys.close().await;
        Ok(migrated?)
    }

    /// The writer of a shard, for roles that may append.
    pub fn writer(&mut self, shard: i16) -> Shard {
        let database = self.database.clone();
        let start = || Shard::start(shard, Arc::new(move || database.current()), Arc::new(AllLookUps), WRITER);
        self.writers.entry(shard).or_insert_with(start).clone()
    }

    /// Gives everything back; Vault drops the leased user.
    pub async fn close(mut self) {
        self.writers.clear();
        self.database.close().await;
        self.vault.logout().await;
        // The last spans leave after the last call.
        drop(self.telemetry);
    }
}

//! From a line on standard input to a worker at work, and back to nothing.
//!
//! Start fails closed, as the API's does: without settings, secrets and users there is no process. A broker that is
//! away is none of these: views then grow old, and the process goes on trying.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use sqlx::PgPool;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;
use vintem_core::event_store::{fresh, head, lease};
use vintem_core::holders::erasure::Eraser;
use vintem_core::projections::{ALL, Reading};
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{
    BrokerRole, DatabaseRole, DatabaseSettings, FOLLOW_EVERY, Followed, KeyRing, LeasedBroker, LeasedDatabase,
    SecretsError, SettingsError, Vault, WorkerSettings, keep_memory_private, rotate_on_hangup,
};
use vintem_core::telemetry::{self, TelemetryError, WorkerMetrics};
use vintem_core::terminals::revoker::Revoker;
use vintem_core::webhooks::Egress;
use vintem_core::webhooks::signature::{BadKey, SigningKeys};

use crate::clocks;
use crate::drift::Checker;
use crate::health::Health;
use crate::http;
use crate::integrators;
use crate::projector::{Projector, View, lag, projections};
use crate::rabbitmq::{Broker, BrokerError};
use crate::relay::Relay;
use crate::webhooks::deliver::Deliverer;
use crate::webhooks::fan_out::FanOut;
use crate::webhooks::transport::{Transport, TransportError};

/// Connections of a role; its tasks, one per shard and projection, work in short statements.
const CONNECTIONS: u32 = 8;
/// How soon a new shard is noticed.
const GLANCE: Duration = Duration::from_secs(10);
/// How long connections may take to close at the end.
const CLOSING: Duration = Duration::from_secs(5);

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Role {
    /// Publishes which positions are new
    Relay,
    /// Folds what is new into views
    Projector,
    /// Publishes events to the queues of subscriptions
    Integrators,
    /// Does what is due: ends holds, follows top-ups and withdrawals, deletes the bytes of old answers, checks samples of the ledger
    Clocks,
    /// Tells the servers of tenants
    Webhooks,
}

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "vintem-worker", version, about = "Does what follows from what was recorded")]
pub struct Arguments {
    /// The roles to play; all of them when none is named
    roles: Vec<Role>,
}

impl Arguments {
    fn roles(&self) -> BTreeSet<Role> {
        let all = || Role::value_variants().iter().copied().collect();
        if self.roles.is_empty() { all() } else { self.roles.iter().copied().collect() }
    }
}

/// Why the process does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Logs and spans.
    #[error("telemetry cannot start")]
    Telemetry(#[from] TelemetryError),
    /// Vault, or a user that it leased.
    #[error("the process has no secrets")]
    Secrets(#[from] SecretsError),
    /// The authority of the broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The keys that sign webhooks.
    #[error(transparent)]
    Keys(#[from] BadKey),
    /// What webhooks leave by.
    #[error("the transport of webhooks cannot be built")]
    Transport(#[from] TransportError),
    /// The system.
    #[error("the worker stopped")]
    Io(#[from] std::io::Error),
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The whole life of the process.
pub fn run(arguments: &Arguments) -> Result<(), StartError> {
    keep_memory_private()?;
    let settings = WorkerSettings::from_env()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work(settings, arguments.roles()))
}

async fn work(settings: WorkerSettings, roles: BTreeSet<Role>) -> Result<(), StartError> {
    let _telemetry = telemetry::init(&settings.process.telemetry, "vintem-worker")?;
    // Listening first: an address that is taken is found before a secret is spent.
    let listener = http::listen(settings.metrics_listen).await?;
    let vault = Vault::connect(settings.process.vault.clone()).await?;
    rotate_on_hangup(&vault)?;
    let metrics = Arc::new(WorkerMetrics::new());
    let health = Health { vault: Some(vault.clone()), ..Health::default() };
    let mut staff = Staff { tasks: JoinSet::new(), health, databases: Vec::new() };
    let holder = fresh::new_id();
    if roles.contains(&Role::Relay) {
        staff.hire_relays(&settings, &vault, &metrics, holder).await?;
    }
    if roles.contains(&Role::Projector) {
        staff.hire_projectors(&settings, &vault, &metrics).await?;
    }
    if roles.contains(&Role::Integrators) {
        staff.hire_integrators(&settings, &vault, &metrics, holder).await?;
    }
    if roles.contains(&Role::Clocks) {
        staff.hire_clocks(&settings, &vault, &metrics, holder).await?;
    }
    if roles.contains(&Role::Webhooks) {
        staff.hire_webhooks(&settings, &vault, &metrics, holder).await?;
    }
    let (health, counted, token) = (staff.health.clone(), metrics.clone(), vault.clone());
    let print = move || {
        for (role, lease) in health.leases() {
            counted.lease_ttl(role, lease.borrow().expires_at.saturating_duration_since(Instant::now()));
        }
        counted.token_ttl(token.token_remaining());
        counted.encode() + &token.metrics()
    };
    staff.tasks.spawn(http::serve(listener, Arc::new(print), staff.health.clone()));
    tracing::info!(?roles, metrics = %settings.metrics_listen, "the worker works");
    until_asked_to_end(&mut staff.tasks).await?;
    staff.dismiss(holder).await;
    vault.logout().await;
    tracing::info!("the worker has ended");
    Ok(())
}

/// Who works here, and with which users.
struct Staff {
    tasks: JoinSet<()>,
    health: Health,
    databases: Vec<LeasedDatabase>,
}

impl Staff {
    async fn hire_relays(
        &mut self,
        settings: &WorkerSettings,
        vault: &Vault,
        metrics: &Arc<WorkerMetrics>,
        holder: Uuid,
    ) -> Result<(), StartError> {
        let database = self.lease(settings, vault, DatabaseRole::Relay).await?;
        let broker = Broker::new(settings.broker.clone(), LeasedBroker::lease(vault, BrokerRole::Relay).await?)?;
        self.note_broker("broker-relay", &broker);
        let (pool, metrics) = (database.pool().clone(), metrics.clone());
        let hire =
            move |shard| Relay::new(pool.clone(), broker.clone(), metrics.clone(), shard, projections(), holder).run();
        self.tasks.spawn(for_each_shard(database.pool().clone(), hire));
        Ok(())
    }

    async fn hire_projectors(
        &mut self,
        settings: &WorkerSettings,
        vault: &Vault,
        metrics: &Arc<WorkerMetrics>,
    ) -> Result<(), StartError> {
        let database = self.lease(settings, vault, DatabaseRole::Projector).await?;
        let user = LeasedBroker::lease(vault, BrokerRole::Projector).await?;
        let broker = Broker::new(settings.broker.clone(), user)?;
        self.note_broker("broker-projector", &broker);
        self.tasks.spawn(lag::measure(database.pool().clone(), metrics.clone()));
        let reading = Arc::new(Reading::default());
        for projection in ALL {
            let (pool, reading) = (database.pool().clone(), reading.clone());
            let (broker, metrics) = (broker.clone(), metrics.clone());
            let hire = move |shard| {
                let view = View::new(projection, pool.clone(), reading.clone());
                Projector::new(view, broker.clone(), metrics.clone(), shard).run()
            };
            self.tasks.spawn(for_each_shard(database.pool().clone(), hire));
        }
        Ok(())
    }

    async fn hire_integrators(
        &mut self,
        settings: &WorkerSettings,
        vault: &Vault,
        metrics: &Arc<WorkerMetrics>,
        holder: Uuid,
    ) -> Result<(), StartError> {
        let database = self.lease(settings, vault, DatabaseRole::Integrators).await?;
        let user = LeasedBroker::lease(vault, BrokerRole::Integrators).await?;
        let broker = Broker::new(settings.broker.clone(), user)?;
        self.note_broker("broker-integrators", &broker);
        self.tasks.spawn(integrators::run(database.pool().clone(), broker, metrics.clone(), holder));
        Ok(())
    }

    async fn hire_clocks(
        &mut self,
        settings: &WorkerSettings,
        vault: &Vault,
        metrics: &Arc<WorkerMetrics>,
        holder: Uuid,
    ) -> Result<(), StartError> {
        let auditor = self.lease(settings, vault, DatabaseRole::Auditor).await?;
        let writer = self.lease(settings, vault, DatabaseRole::Writer).await?;
        let (reads, halts, metrics) = (auditor.pool().clone(), writer.pool().clone(), metrics.clone());
        let check = move |shard| Checker::new(reads.clone(), halts.clone(), metrics.clone(), shard, holder).run();
        self.tasks.spawn(for_each_shard(writer.pool().clone(), check));
        let keeper = self.lease_of(&settings.process.keys, vault, DatabaseRole::Keeper).await?;
        let keys = PersonKeys::new(vault.clone(), keeper.pool().clone());
        self.tasks.spawn(Eraser::new(writer.pool().clone(), keys).run());
        self.tasks.spawn(Revoker::new(writer.pool().clone(), vault.clone()).run());
        let pool = writer.pool().clone();
        self.tasks.spawn(for_each_shard(pool, move |shard| clocks::run(writer.clone(), shard, holder)));
        Ok(())
    }

    async fn hire_webhooks(
        &mut self,
        settings: &WorkerSettings,
        vault: &Vault,
        metrics: &Arc<WorkerMetrics>,
        holder: Uuid,
    ) -> Result<(), StartError> {
        let take = |ring: KeyRing| SigningKeys::try_new(&ring).map_err(StartError::from);
        let keys = Followed::follow(vault, "webhook-signing", FOLLOW_EVERY, take).await?;
        let transport = Transport::try_new(Egress::allowing(settings.webhook_networks.clone()))?;
        let database = self.lease(settings, vault, DatabaseRole::Webhooks).await?;
        let (pool, counted) = (database.pool().clone(), metrics.clone());
        let hire = move |shard| FanOut::new(pool.clone(), counted.clone(), shard, holder).run();
        self.tasks.spawn(for_each_shard(database.pool().clone(), hire));
        let deliverer = Deliverer::new(database.pool().clone(), vault.clone(), keys, transport, metrics.clone());
        self.tasks.spawn(deliverer.run());
        Ok(())
    }

    async fn lease(
        &mut self,
        settings: &WorkerSettings,
        vault: &Vault,
        role: DatabaseRole,
    ) -> Result<LeasedDatabase, StartError> {
        let database = self.lease_of(&settings.process.database, vault, role).await?;
        self.health.pool = Some(database.pool().clone());
        Ok(database)
    }

    /// The same in a database that may be another than the ledger's.
    async fn lease_of(
        &mut self,
        place: &DatabaseSettings,
        vault: &Vault,
        role: DatabaseRole,
    ) -> Result<LeasedDatabase, StartError> {
        let database = LeasedDatabase::connect(vault, place, role, CONNECTIONS).await?;
        self.health.databases.push((role.as_str(), database.state()));
        self.databases.push(database.clone());
        Ok(database)
    }

    fn note_broker(&mut self, name: &'static str, broker: &Broker) {
        self.health.brokers.push((broker.clone(), (name, broker.lease())));
    }

    /// Ends every task where it stands, which each of them is made for, and closes what is left.
    async fn dismiss(mut self, holder: Uuid) {
        self.tasks.shutdown().await;
        let closing = async {
            for database in &self.databases {
                // Whichever of them may: what this process held is then free at once.
                let _ = lease::release(database.pool(), holder).await;
                database.close().await;
            }
        };
        // A connection that does not close in time ends with its lease.
        let _ = timeout(CLOSING, closing).await;
    }
}

/// Runs a task per shard, also for shards that are made later.
async fn for_each_shard<T: Future<Output = ()> + Send + 'static>(pool: PgPool, begin: impl Fn(i16) -> T) {
    let (mut served, mut tasks) = (BTreeSet::new(), JoinSet::new());
    loop {
        match head::shards(&pool).await {
            Ok(shards) => {
                for shard in shards.into_iter().filter(|shard| served.insert(*shard)) {
                    tasks.spawn(begin(shard));
                }
            }
            Err(error) => tracing::warn!(%error, "the shards cannot be read"),
        }
        tokio::select! {
            () = sleep(GLANCE) => {}
            // These run for ever; one that ends is a defect, and everything ends with it.
            Some(_) = tasks.join_next() => return,
        }
    }
}

/// A task that ends by itself is a defect; the process ends with it and is started anew.
async fn until_asked_to_end(tasks: &mut JoinSet<()>) -> Result<(), StartError> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = tasks.join_next() => {
            return Err(StartError::Io(std::io::Error::other(format!("a task ended: {ended:?}"))));
        }
    }
    tracing::info!("the process is about to end");
    Ok(())
}

//! A Postgres pool whose user is leased and changes below it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, pool::PoolConnectionMetadata};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::client::Vault;
use super::error::SecretsError;
use super::keeper::{CONNECT_MAX, Holder, Keeper, LeaseState};
use super::lease::{Credentials, Engine};
use super::settings::DatabaseSettings;

/// How long a caller waits for a connection before it is told that the database is away.
const ACQUIRE_TIMEOUT: Duration = CONNECT_MAX;
/// How often Postgres is asked whether it still knows the user: one that was taken away is to be replaced within a second.
/// Each question goes over the connection that rested longest, so those of a retired user are soon closed in an idle pool too.
const PROOF: Duration = Duration::from_millis(400);
/// A connection that rested longer is asked for a sign of life before use.
const REST_MAX: Duration = Duration::from_secs(1);

/// The roles a process can lease; each is a role of Vault's database engine and a group in Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatabaseRole {
    /// Reads as a tenant, under row level security.
    Reader,
    /// Appends as the shard writer.
    Writer,
    /// Writes and creates tenants and clients.
    Operator,
    /// Folds the log into views.
    Projector,
    /// Reads positions, moves its checkpoint.
    Relay,
    /// Reads events, moves the checkpoints of subscriptions.
    Integrators,
    /// Writes beside the ledger as a tenant, under row level security.
    Editor,
    /// Turns events into deliveries, and delivers them.
    Webhooks,
    /// Reads everything, writes nothing.
    Auditor,
    /// Owns the schema.
    Migrator,
    /// Makes, fetches and destroys the keys of people, in their own database.
    Keeper,
    /// Wraps those keys anew.
    Rewrapper,
    /// Reads those keys, for rows that are written under another key of blind indexes.
    Indexer,
    /// Owns the schema of that database.
    KeysMigrator,
}

impl DatabaseRole {
    /// The name in Vault, in metrics and, for most, in Postgres (after `vintem_`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Operator => "operator",
            Self::Projector => "projector",
            Self::Relay => "relay",
            Self::Integrators => "integrators",
            Self::Editor => "editor",
            Self::Webhooks => "webhooks",
            Self::Auditor => "auditor",
            Self::Migrator => "migrator",
            Self::Keeper => "keeper",
            Self::Rewrapper => "rewrapper",
            Self::Indexer => "indexer",
            Self::KeysMigrator => "keys-migrator",
        }
    }

    /// Settings of every session of the role. Times are in milliseconds or, for keepalives, seconds.
    fn session(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Reader => &[
                ("default_transaction_read_only", "on"),
                ("statement_timeout", "10000"),
                ("idle_in_transaction_session_timeout", "10000"),
            ],
            // The writer holds a shard's lock: if its process or its network dies, Postgres must
            // notice within seconds, or every other process waits.
            Self::Writer | Self::Operator => &[
                ("lock_timeout", "5000"),
                ("statement_timeout", "30000"),
                ("idle_in_transaction_session_timeout", "10000"),
                ("tcp_keepalives_idle", "5"),
                ("tcp_keepalives_interval", "2"),
                ("tcp_keepalives_count", "3"),
            ],
            // A page is a short transaction; one whose process died must not hold up the next process.
            Self::Projector => &[
                ("lock_timeout", "10000"),
                ("statement_timeout", "60000"),
                ("idle_in_transaction_session_timeout", "10000"),
            ],
            Self::Relay | Self::Integrators | Self::Webhooks => {
                &[("statement_timeout", "10000"), ("idle_in_transaction_session_timeout", "10000")]
            }
            Self::Editor | Self::Keeper | Self::Rewrapper | Self::Indexer => &[
                ("lock_timeout", "5000"),
                ("statement_timeout", "10000"),
                ("idle_in_transaction_session_timeout", "10000"),
            ],
            Self::Auditor => {
                &[("default_transaction_read_only", "on"), ("idle_in_transaction_session_timeout", "30000")]
            }
            Self::Migrator | Self::KeysMigrator => &[("lock_timeout", "10000")],
        }
    }
}

/// A pool, and the options for direct connections, of one leased role. Cheap to clone.
#[derive(Clone)]
pub struct LeasedDatabase(Arc<Shared>);

struct Shared {
    role: DatabaseRole,
    template: PgConnectOptions,
    pool: PgPool,
    state: watch::Sender<LeaseState>,
    retired_before: Arc<Boundary>,
}

impl Holder for Shared {
    const ENGINE: Engine = Engine::Database;
    /// The longest a transaction may take before Postgres ends it, with some seconds on top.
    const WORK_MAX: Duration = Duration::from_secs(35);

    fn role(&self) -> &'static str {
        self.role.as_str()
    }

    fn is_open(&self) -> bool {
        !self.pool.is_closed()
    }

    fn state(&self) -> &watch::Sender<LeaseState> {
        &self.state
    }

    /// Connections of the old user close at their next use.
    async fn take_over(&self, user: &Credentials) -> Result<(), SecretsError> {
        let options = as_user(&self.template, user);
        prove(&options).await.map_err(|source| SecretsError::Database { role: self.role.as_str(), source })?;
        self.pool.set_connect_options(options);
        self.retired_before.advance();
        Ok(())
    }

    fn sweep(&self) {
        self.retired_before.advance();
    }
}

impl LeasedDatabase {
    /// Leases a user, connects with it and keeps the lease from then on.
    pub async fn connect(
        vault: &Vault,
        settings: &DatabaseSettings,
        role: DatabaseRole,
        max_connections: u32,
    ) -> Result<Self, SecretsError> {
        // Subscribed before the lease is read, so that no login in between is missed.
        let logins = vault.logins();
        let (credentials, lease) = vault.lease_user(Engine::Database, role.as_str()).await?;
        let template = template(settings, role);
        let retired_before = Arc::new(Boundary::now());
        let opening = pool_options(role, max_connections, lease.full(), Arc::clone(&retired_before))
            .connect_with(as_user(&template, &credentials));
        // A future of 14 KiB, which would otherwise be part of every command's.
        let pool = Box::pin(opening).await.map_err(|source| SecretsError::Database { role: role.as_str(), source })?;
        let state = watch::Sender::new(LeaseState::first(&lease));
        let shared = Arc::new(Shared { role, template, pool, state, retired_before });
        let doubts = Arc::new(Notify::new());
        tokio::spawn(doubt(Arc::downgrade(&shared), Arc::clone(&doubts)));
        let keeper = Keeper::new(Arc::downgrade(&shared), vault.clone(), logins, doubts, lease);
        tokio::spawn(keeper.run());
        Ok(Self(shared))
    }

    /// The pool. Its user changes below it; callers notice nothing.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// The options of the present user, for a connection outside of the pool.
    ///
    /// Who holds such a connection watches [`Self::state`] and connects again when the generation
    /// grows: the old user lives on for a quarter of its lease at least, then it is dropped.
    /// The options print their password under `Debug`; do not.
    pub fn connect_options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.0.pool.connect_options())
    }

    /// The number of the present user and its options, for who connects directly and often asks.
    pub fn current(&self) -> (u64, PgConnectOptions) {
        // The number first: a rotation in between makes the caller connect once more, never too seldom.
        let generation = self.0.state.borrow().generation;
        (generation, self.connect_options())
    }

    /// Where the lease stands, now and from now on.
    pub fn state(&self) -> watch::Receiver<LeaseState> {
        self.0.state.subscribe()
    }

    /// The role this database is leased in.
    pub fn role(&self) -> DatabaseRole {
        self.0.role
    }

    /// Waits for what is checked out, then closes. The lease ends with [`Vault::logout`].
    pub async fn close(&self) {
        self.0.pool.close().await;
    }
}

impl std::fmt::Debug for LeasedDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeasedDatabase").field("role", &self.0.role).finish_non_exhaustive()
    }
}

/// The instant before which every connection counts as one of a retired user.
struct Boundary {
    epoch: Instant,
    micros: AtomicU64,
}

impl Boundary {
    fn now() -> Self {
        Self { epoch: Instant::now(), micros: AtomicU64::new(0) }
    }

    /// Retires every connection made until now.
    fn advance(&self) {
        self.advance_to(Instant::now());
    }

    fn advance_to(&self, instant: Instant) {
        self.micros.store(self.micros_at(instant), Ordering::Release);
    }

    fn is_retired(&self, age: Duration) -> bool {
        self.is_retired_at(Instant::now(), age)
    }

    fn is_retired_at(&self, now: Instant, age: Duration) -> bool {
        let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        self.micros_at(now).saturating_sub(age) < self.micros.load(Ordering::Acquire)
    }

    fn micros_at(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX)
    }
}

fn pool_options(role: DatabaseRole, max: u32, lease: Duration, retired_before: Arc<Boundary>) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime((lease / 4).clamp(Duration::from_secs(1), Duration::from_mins(30)))
        // Our own check below spares the round trip for connections in constant use.
        .test_before_acquire(false)
        .before_acquire(move |connection: &mut PgConnection, meta: PoolConnectionMetadata| {
            let retired = retired_before.is_retired(meta.age);
            Box::pin(async move {
                if !retired && meta.idle_for > REST_MAX {
                    return Ok(connection.ping().await.is_ok());
                }
                Ok(!retired)
            })
        })
        .acquire_slow_threshold(if role == DatabaseRole::Writer { ACQUIRE_TIMEOUT } else { Duration::from_secs(1) })
}

/// The options without a user. TLS with verification of name and authority is not negotiable.
fn template(settings: &DatabaseSettings, role: DatabaseRole) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(&settings.host)
        .port(settings.port)
        .database(&settings.name)
        .ssl_mode(PgSslMode::VerifyFull)
        .ssl_root_cert(&settings.ca)
        .application_name(&format!("vintem-{}", role.as_str()))
        .options(role.session().iter().copied())
}

/// Rings when Postgres does not know the user (any more): somebody took it away, and renewing its lease would go on
/// failing until it ends. Callers see only that a connection or a statement failed, so nobody else could ring.
async fn doubt(shared: Weak<Shared>, doubts: Arc<Notify>) {
    loop {
        tokio::time::sleep(PROOF).await;
        let Some(pool) = shared.upgrade().filter(|shared| shared.is_open()).map(|shared| shared.pool.clone()) else {
            return;
        };
        if pool.execute("SELECT current_user").await.is_err_and(|error| is_stranger(&error)) {
            doubts.notify_one();
        }
    }
}

/// Whether Postgres refused the user itself: at the door (class 28), or in a session that outlived it.
fn is_stranger(error: &sqlx::Error) -> bool {
    const UNDEFINED_OBJECT: &str = "42704";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("28") || code == UNDEFINED_OBJECT)
}

/// One connection with the new user, before any caller depends on it.
async fn prove(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let attempt = async {
        let mut connection = options.connect().await?;
        connection.ping().await?;
        connection.close().await
    };
    tokio::time::timeout(CONNECT_MAX, attempt).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// The options of a leased user.
fn as_user(template: &PgConnectOptions, credentials: &Credentials) -> PgConnectOptions {
    use secrecy::ExposeSecret as _;
    template.clone().username(&credentials.username).password(credentials.password.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_older_than_the_rotation_are_retired_and_younger_ones_are_not() {
        let boundary = Boundary::now();
        let after = |seconds| boundary.epoch + Duration::from_secs(seconds);
        assert!(!boundary.is_retired_at(after(10), Duration::from_secs(9)), "nothing was rotated yet");
        boundary.advance_to(after(10));
        assert!(boundary.is_retired_at(after(10), Duration::from_secs(9)));
        assert!(!boundary.is_retired_at(after(15), Duration::from_secs(4)));
        assert!(boundary.is_retired_at(after(15), Duration::from_secs(6)));
    }
}

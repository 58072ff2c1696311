//! Keeping a leased database user: renewal, rotation and the retirement of the old one.
//!
//! The lease is renewed at two thirds. When a renewal grants markedly less than a new lease
//! would, or when the token the lease hangs on was replaced, a new user takes over:
//!
//! 1. lease a new user and prove it with one connection;
//! 2. give it to the pool, which uses it for new connections;
//! 3. retire every connection made before (each closes at its next use), and once more after the
//!    time a connection attempt may take, for those that began before step 2 and ended after;
//! 4. revoke the old lease when no statement of it can still run, unless it ended by itself.

use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::client::Vault;
use super::database::{Shared, as_user};
use super::error::SecretsError;
use super::lease::Lease;
use super::random::Backoff;
use super::token::{Token, is_shrinking, two_thirds};

/// The longest a connection attempt may take (the pool's time to acquire one).
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// The longest a transaction may take before Postgres ends it, with some seconds on top.
const TRANSACTION_MAX: Duration = Duration::from_secs(35);

/// The task that owns a lease.
pub(super) struct Keeper {
    shared: Weak<Shared>,
    vault: Vault,
    logins: watch::Receiver<Token>,
    template: PgConnectOptions,
    lease: Lease,
    /// Set until a rotation that must happen has happened.
    must_rotate: bool,
    retirements: Vec<Retirement>,
}

/// What is still to be done about an old user.
struct Retirement {
    at: Instant,
    step: RetirementStep,
}

enum RetirementStep {
    Sweep,
    Revoke(Lease),
}

impl Keeper {
    pub(super) fn new(
        shared: Weak<Shared>,
        vault: Vault,
        logins: watch::Receiver<Token>,
        template: PgConnectOptions,
        lease: Lease,
    ) -> Self {
        Self { shared, vault, logins, template, lease, must_rotate: false, retirements: Vec::new() }
    }

    /// Runs until the pool is closed or dropped.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(10));
        let mut wake_at = two_thirds(self.lease.expires_at);
        loop {
            let retire_at = self.retirements.first().map(|retirement| retirement.at);
            tokio::select! {
                () = sleep_until(wake_at) => {}
                Ok(()) = self.logins.changed() => self.must_rotate = true,
                () = sleep_until(retire_at.unwrap_or(wake_at)), if retire_at.is_some() => {
                    let Some(shared) = self.open() else { return };
                    self.retire_next(&shared).await;
                    continue;
                }
            }
            let Some(shared) = self.open() else { return };
            let result = self.renew_or_rotate(&shared).await;
            wake_at = match result {
                Ok(()) => {
                    backoff.reset();
                    two_thirds(self.lease.expires_at)
                }
                Err(ref error) => {
                    let remaining = self.lease.expires_at.saturating_duration_since(Instant::now());
                    tracing::warn!(%error, role = shared.role.as_str(), remaining_s = remaining.as_secs(), "the leased database user is not renewed");
                    Instant::now() + backoff.next()
                }
            };
            shared.state.send_modify(|state| {
                state.expires_at = self.lease.expires_at;
                state.failing = result.is_err();
            });
        }
    }

    fn open(&self) -> Option<Arc<Shared>> {
        self.shared.upgrade().filter(|shared| !shared.pool.is_closed())
    }

    async fn renew_or_rotate(&mut self, shared: &Shared) -> Result<(), SecretsError> {
        if !self.must_rotate && self.lease.renewable {
            let full = self.lease.full();
            match self.vault.renew_lease(&mut self.lease).await {
                Ok(granted) if !is_shrinking(granted, full) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.is_transient() => return Err(error),
                // The lease is unknown or forbidden: it ended, or its token did.
                Err(error) => {
                    tracing::warn!(%error, role = shared.role.as_str(), "the lease cannot be renewed; leasing anew");
                }
            }
        }
        self.must_rotate = true;
        self.rotate(shared).await?;
        self.must_rotate = false;
        Ok(())
    }

    async fn rotate(&mut self, shared: &Shared) -> Result<(), SecretsError> {
        let (credentials, lease) = self.vault.lease_user(shared.role.as_str()).await?;
        let options = as_user(&self.template, &credentials);
        prove(&options).await.map_err(|source| SecretsError::Database { role: shared.role.as_str(), source })?;
        shared.pool.set_connect_options(options);
        shared.retired_before.advance();
        let old = std::mem::replace(&mut self.lease, lease);
        let now = Instant::now();
        let sweep_at = now + CONNECT_MAX.min(old.expires_at.saturating_duration_since(now) / 2);
        let revoke_at = now + CONNECT_MAX + TRANSACTION_MAX;
        self.retirements.push(Retirement { at: sweep_at, step: RetirementStep::Sweep });
        if revoke_at < old.expires_at {
            self.retirements.push(Retirement { at: revoke_at, step: RetirementStep::Revoke(old) });
        }
        self.retirements.sort_by_key(|retirement| retirement.at);
        shared.state.send_modify(|state| state.generation += 1);
        tracing::info!(role = shared.role.as_str(), "a new leased database user took over");
        Ok(())
    }

    async fn retire_next(&mut self, shared: &Shared) {
        match self.retirements.remove(0).step {
            RetirementStep::Sweep => shared.retired_before.advance(),
            RetirementStep::Revoke(lease) => {
                // Only tidiness: a lease that is not revoked ends with its TTL.
                if let Err(error) = self.vault.revoke_lease(lease).await {
                    tracing::info!(%error, role = shared.role.as_str(), "the old lease was not revoked; it ends by itself");
                }
            }
        }
    }
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

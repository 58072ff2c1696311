//! Keeping a leased user: renewal, rotation and the retirement of the old one.
//!
//! The lease is renewed at two thirds. When a renewal grants markedly less than a new lease
//! would, when the token the lease hangs on was replaced, when the holder doubts the user, or when the
//! operator asks for it, a new user takes over:
//!
//! 1. lease a new user;
//! 2. give it to its [`Holder`], who uses it for every new connection and retires the old ones;
//! 3. let the holder do so once more after the time a connection attempt may take, for those that
//!    began before step 2 and ended after;
//! 4. revoke the old lease when nothing of it can still run, unless it ended by itself.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::client::Vault;
use super::error::SecretsError;
use super::lease::{Credentials, Engine, Lease};
use super::random::Backoff;
use super::token::{Token, is_shrinking, two_thirds};

/// The longest a connection attempt may take (the pool's time to acquire one).
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Where a leased user stands.
#[derive(Debug, Clone, Copy)]
pub struct LeaseState {
    /// Counts users: it grows when a new one takes over.
    pub generation: u64,
    /// When the present user ends unless renewed.
    pub expires_at: Instant,
    /// The last attempt to renew or replace it failed; the next follows by itself.
    pub failing: bool,
}

impl LeaseState {
    /// Of the first user.
    pub(super) fn first(lease: &Lease) -> Self {
        Self { generation: 1, expires_at: lease.expires_at, failing: false }
    }
}

/// Who uses a leased user.
pub(super) trait Holder: Send + Sync + 'static {
    /// Who makes the user.
    const ENGINE: Engine;
    /// The longest that work which a connection of the old user has begun may take.
    const WORK_MAX: Duration;

    /// The role's name in Vault.
    fn role(&self) -> &'static str;
    /// Whether the user is still wanted.
    fn is_open(&self) -> bool;
    /// Where the lease stands.
    fn state(&self) -> &watch::Sender<LeaseState>;
    /// Uses the new user for everything that begins from now on.
    fn take_over(&self, user: &Credentials) -> impl Future<Output = Result<(), SecretsError>> + Send;
    /// Retires connections that were being made during the take-over.
    fn sweep(&self);
}

/// The task that owns a lease.
pub(super) struct Keeper<H> {
    holder: Weak<H>,
    vault: Vault,
    logins: watch::Receiver<Token>,
    orders: watch::Receiver<()>,
    /// Rung by a holder whose user was refused.
    doubts: Arc<Notify>,
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

impl<H: Holder> Keeper<H> {
    pub(super) fn new(
        holder: Weak<H>,
        vault: Vault,
        logins: watch::Receiver<Token>,
        doubts: Arc<Notify>,
        lease: Lease,
    ) -> Self {
        let orders = vault.rotations();
        Self { holder, vault, logins, orders, doubts, lease, must_rotate: false, retirements: Vec::new() }
    }

    /// Runs until the holder is closed or dropped.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(10));
        let mut wake_at = two_thirds(self.lease.expires_at);
        loop {
            let retire_at = self.retirements.first().map(|retirement| retirement.at);
            tokio::select! {
                () = sleep_until(wake_at) => {}
                Ok(()) = self.logins.changed() => self.must_rotate = true,
                Ok(()) = self.orders.changed() => self.must_rotate = true,
                () = self.doubts.notified() => self.must_rotate = true,
                () = sleep_until(retire_at.unwrap_or(wake_at)), if retire_at.is_some() => {
                    let Some(holder) = self.open() else { return };
                    self.retire_next(&*holder).await;
                    continue;
                }
            }
            let Some(holder) = self.open() else { return };
            let result = self.renew_or_rotate(&*holder).await;
            wake_at = match result {
                Ok(()) => {
                    backoff.reset();
                    two_thirds(self.lease.expires_at)
                }
                Err(ref error) => {
                    let remaining = self.lease.expires_at.saturating_duration_since(Instant::now());
                    tracing::warn!(%error, role = holder.role(), remaining_s = remaining.as_secs(), "the leased user is not renewed");
                    Instant::now() + backoff.next()
                }
            };
            holder.state().send_modify(|state| {
                state.expires_at = self.lease.expires_at;
                state.failing = result.is_err();
            });
        }
    }

    fn open(&self) -> Option<Arc<H>> {
        self.holder.upgrade().filter(|holder| holder.is_open())
    }

    async fn renew_or_rotate(&mut self, holder: &H) -> Result<(), SecretsError> {
        if !self.must_rotate && self.lease.renewable {
            let full = self.lease.full();
            match self.vault.renew_lease(&mut self.lease).await {
                Ok(granted) if !is_shrinking(granted, full) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.is_transient() => return Err(error),
                // The lease is unknown or forbidden: it ended, or its token did.
                Err(error) => {
                    tracing::warn!(%error, role = holder.role(), "the lease cannot be renewed; leasing anew");
                }
            }
        }
        self.must_rotate = true;
        self.rotate(holder).await?;
        self.must_rotate = false;
        Ok(())
    }

    async fn rotate(&mut self, holder: &H) -> Result<(), SecretsError> {
        let (user, lease) = self.vault.lease_user(H::ENGINE, holder.role()).await?;
        holder.take_over(&user).await?;
        let old = std::mem::replace(&mut self.lease, lease);
        let now = Instant::now();
        let sweep_at = now + CONNECT_MAX.min(old.expires_at.saturating_duration_since(now) / 2);
        let revoke_at = now + CONNECT_MAX + H::WORK_MAX;
        self.retirements.push(Retirement { at: sweep_at, step: RetirementStep::Sweep });
        if revoke_at < old.expires_at {
            self.retirements.push(Retirement { at: revoke_at, step: RetirementStep::Revoke(old) });
        }
        self.retirements.sort_by_key(|retirement| retirement.at);
        holder.state().send_modify(|state| state.generation += 1);
        tracing::info!(role = holder.role(), "a new leased user took over");
        Ok(())
    }

    async fn retire_next(&mut self, holder: &H) {
        match self.retirements.remove(0).step {
            RetirementStep::Sweep => holder.sweep(),
            RetirementStep::Revoke(lease) => {
                // Only tidiness: a lease that is not revoked ends with its TTL.
                if let Err(error) = self.vault.revoke_lease(lease).await {
                    tracing::info!(%error, role = holder.role(), "the old lease was not revoked; it ends by itself");
                }
            }
        }
    }
}

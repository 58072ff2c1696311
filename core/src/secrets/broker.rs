//! A user of RabbitMQ that is leased and changes. What connects with it stands elsewhere: no AMQP here.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};

use super::client::Vault;
use super::error::SecretsError;
use super::keeper::{Holder, Keeper, LeaseState};
use super::lease::{Credentials, Engine, Lease};

/// The roles that a worker can lease; each is a role of Vault's RabbitMQ engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrokerRole {
    /// Publishes ranges.
    Relay,
    /// Consumes them.
    Projector,
    /// Publishes events to subscriptions.
    Integrators,
}

impl BrokerRole {
    /// The name in Vault and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Projector => "projector",
            Self::Integrators => "integrators",
        }
    }
}

/// A user of the broker.
#[derive(Clone)]
pub struct BrokerUser {
    /// Counts users: it grows when a new one takes over.
    pub generation: u64,
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: SecretString,
}

/// A leased user. Cheap to clone.
#[derive(Clone)]
pub struct LeasedBroker(Arc<Shared>);

struct Shared {
    role: BrokerRole,
    user: ArcSwap<BrokerUser>,
    state: watch::Sender<LeaseState>,
    doubts: Arc<Notify>,
}

impl Holder for Shared {
    const ENGINE: Engine = Engine::Broker;
    /// How long whoever watches [`LeasedBroker::state`] may take to finish and connect anew.
    const WORK_MAX: Duration = Duration::from_secs(15);

    fn role(&self) -> &'static str {
        self.role.as_str()
    }

    /// Until it is dropped.
    fn is_open(&self) -> bool {
        true
    }

    fn state(&self) -> &watch::Sender<LeaseState> {
        &self.state
    }

    /// Vault made the user in the broker itself, so it is known there; connections prove the rest.
    async fn take_over(&self, user: &Credentials) -> Result<(), SecretsError> {
        let generation = self.user.load().generation + 1;
        self.user.store(Arc::new(BrokerUser::of(user, generation)));
        Ok(())
    }

    fn sweep(&self) {}
}

impl BrokerUser {
    fn of(user: &Credentials, generation: u64) -> Self {
        Self { generation, name: user.username.clone(), password: user.password.clone() }
    }

    /// Whom every broker refuses.
    fn nobody() -> Self {
        Self { generation: 1, name: String::new(), password: SecretString::default() }
    }
}

impl LeasedBroker {
    /// Leases a user and keeps the lease from then on. Vault makes the user in the broker; while that is away the
    /// lease begins as one that has ended, so that its keeper leases a user as soon as there is a broker to have it.
    pub async fn lease(vault: &Vault, role: BrokerRole) -> Result<Self, SecretsError> {
        // Subscribed before the lease is read, so that no login in between is missed.
        let logins = vault.logins();
        let (user, lease) = match vault.lease_user(Engine::Broker, role.as_str()).await {
            Ok((user, lease)) => (BrokerUser::of(&user, 1), lease),
            Err(error @ SecretsError::Status { status: 500.., .. }) => {
                tracing::warn!(%error, role = role.as_str(), "the broker cannot be given a user; beginning without one");
                (BrokerUser::nobody(), Lease::ended())
            }
            Err(error) => return Err(error),
        };
        let doubts = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            role,
            user: ArcSwap::from_pointee(user),
            state: watch::Sender::new(LeaseState::first(&lease)),
            doubts: Arc::clone(&doubts),
        });
        tokio::spawn(Keeper::new(Arc::downgrade(&shared), vault.clone(), logins, doubts, lease).run());
        Ok(Self(shared))
    }

    /// The present user.
    pub fn current(&self) -> BrokerUser {
        BrokerUser::clone(&self.0.user.load())
    }

    /// The broker refused this user, so somebody took it away: another is leased at once, unless one was already.
    pub fn doubt(&self, user: &BrokerUser) {
        if self.0.user.load().generation == user.generation {
            self.0.doubts.notify_one();
        }
    }

    /// Where the lease stands, now and from now on. Who holds a connection makes another when the
    /// generation grows: the old user lives on for some seconds, then it is dropped.
    pub fn state(&self) -> watch::Receiver<LeaseState> {
        self.0.state.subscribe()
    }

    /// The role this user is leased in.
    pub fn role(&self) -> BrokerRole {
        self.0.role
    }
}

/// The password stays out of every log that prints its values.
impl std::fmt::Debug for LeasedBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeasedBroker").field("role", &self.0.role).finish_non_exhaustive()
    }
}

//! `/readyz` of the worker: whether it can do its work, now or as soon as the broker is back.

use std::time::Duration;

use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use vintem_core::event_store::head;
use vintem_core::secrets::{LeaseState, Vault};

use crate::rabbitmq::Broker;

/// A database that needs longer is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// A leased user: a name for it, and where its lease stands.
pub type Lease = (&'static str, watch::Receiver<LeaseState>);

/// What the process stands on.
#[derive(Clone, Default)]
pub struct Health {
    /// Vault; a test may do without.
    pub vault: Option<Vault>,
    /// Its users of the database.
    pub databases: Vec<Lease>,
    /// Its ways to the broker, each with its user.
    pub brokers: Vec<(Broker, Lease)>,
    /// One of its pools.
    pub pool: Option<PgPool>,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `ready`, `degraded` without the broker (views and queues wait, nothing is lost), or `not-ready`.
    pub status: &'static str,
    /// `ok` or `unavailable`.
    pub database: &'static str,
    /// `ok` or `unavailable`.
    pub broker: &'static str,
    /// `ok`, `sealed` or `unavailable`. What is leased goes on without it.
    pub vault: &'static str,
    /// The leased users whose time is over.
    pub ended_leases: Vec<&'static str>,
}

impl Health {
    /// Looks.
    pub async fn report(&self) -> Report {
        let has_database = match &self.pool {
            Some(pool) => matches!(timeout(PATIENCE, head::shards(pool)).await, Ok(Ok(_))),
            None => true,
        };
        let is_over = |lease: &watch::Receiver<LeaseState>| lease.borrow().expires_at <= Instant::now();
        let ended_leases: Vec<&str> =
            self.leases().filter(|(_, lease)| is_over(lease)).map(|(name, _)| *name).collect();
        let has_users = !self.databases.iter().any(|(_, lease)| is_over(lease));
        // Nobody can lease a user of a broker that is away, so the end of such a lease says no more than that.
        let has_broker = !self.brokers.iter().any(|(broker, (_, lease))| broker.is_away() || is_over(lease));
        let vault = match &self.vault {
            Some(vault) => vault.health().await.as_str(),
            None => "ok",
        };
        Report { vault, ..Report::of(has_database && has_users, has_broker, ended_leases) }
    }

    /// All its users.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.databases.iter().chain(self.brokers.iter().map(|(_, lease)| lease))
    }
}

impl Report {
    fn of(has_database: bool, has_broker: bool, ended_leases: Vec<&'static str>) -> Self {
        let word = |is_there| if is_there { "ok" } else { "unavailable" };
        let status = match (has_database, has_broker) {
            (false, _) => "not-ready",
            (true, false) => "degraded",
            (true, true) => "ready",
        };
        Self { status, database: word(has_database), broker: word(has_broker), vault: "ok", ended_leases }
    }

    /// Whether the process is of use.
    pub fn is_ready(&self) -> bool {
        self.status != "not-ready"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_broker_it_is_degraded_and_without_the_rest_not_ready() {
        let status = |database, broker| Report::of(database, broker, Vec::new()).status;
        assert_eq!(status(true, true), "ready");
        assert_eq!(status(true, false), "degraded");
        assert_eq!(status(false, true), "not-ready");
        assert_eq!(status(false, false), "not-ready");
    }
}

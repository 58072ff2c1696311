//! `/readyz` of the worker: whether it can do its work, now or as soon as the broker is back.

use std::time::Duration;

use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use vintem_core::event_store::outbox;
use vintem_core::secrets::LeaseState;

use crate::rabbitmq::Broker;

/// A database that needs longer is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the process stands on.
#[derive(Clone, Default)]
pub struct Health {
    /// Its users, by role.
    pub leases: Vec<(&'static str, watch::Receiver<LeaseState>)>,
    /// Its ways to the broker.
    pub brokers: Vec<Broker>,
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
    /// The leased users whose time is over.
    pub ended_leases: Vec<&'static str>,
}

impl Health {
    /// Looks.
    pub async fn report(&self) -> Report {
        let has_database = match &self.pool {
            Some(pool) => matches!(timeout(PATIENCE, outbox::shards(pool)).await, Ok(Ok(_))),
            None => true,
        };
        let is_over = |lease: &watch::Receiver<LeaseState>| lease.borrow().expires_at <= Instant::now();
        let ended = self.leases.iter().filter(|(_, lease)| is_over(lease)).map(|(role, _)| *role).collect();
        Report::of(has_database, !self.brokers.iter().any(Broker::is_away), ended)
    }
}

impl Report {
    fn of(has_database: bool, has_broker: bool, ended_leases: Vec<&'static str>) -> Self {
        let word = |is_there| if is_there { "ok" } else { "unavailable" };
        let status = match (has_database && ended_leases.is_empty(), has_broker) {
            (false, _) => "not-ready",
            (true, false) => "degraded",
            (true, true) => "ready",
        };
        Self { status, database: word(has_database), broker: word(has_broker), ended_leases }
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
        let status = |database, broker, ended: &[&'static str]| Report::of(database, broker, ended.to_vec()).status;
        assert_eq!(status(true, true, &[]), "ready");
        assert_eq!(status(true, false, &[]), "degraded");
        assert_eq!(status(false, true, &[]), "not-ready");
        assert_eq!(status(true, true, &["relay"]), "not-ready");
    }
}

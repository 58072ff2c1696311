//! Delivering what is due.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::secrets::{Followed, SecretsError, Vault, random};
use vintem_core::telemetry::{WorkerMetrics, clock};
use vintem_core::webhooks::message::{self, Event};
use vintem_core::webhooks::signature::{self, Secret, SigningKeys};
use vintem_core::webhooks::store::queue::{self, Attempted, Claimed, Fate, Portion};
use vintem_core::webhooks::{open_secret, schedule};

use super::transport::{Outgoing, Said, Silence, Transport};

/// Requests that a process has out at most.
const IN_FLIGHT: usize = 64;
/// Of them to one endpoint, until no more is claimed for it.
const PER_ENDPOINT: usize = 8;
/// Others take a claim for abandoned after this long: an attempt takes 20 s, and Vault may take some before it.
const CLAIM_SECONDS: i64 = 60;
/// How soon what could not even be tried is claimed again.
const UNTRIED_SECONDS: i64 = 5;
/// How soon new deliveries are looked for.
const POLL: Duration = Duration::from_millis(200);
/// How often what waits is measured.
const GLANCE: Duration = Duration::from_secs(1);
/// How often old deliveries are deleted, how many at once, and after how many days.
const CLEANING: (Duration, i64, i32) = (Duration::from_secs(10), 2_000, 30);
/// Opened secrets kept in memory.
const SECRETS: u64 = 10_000;

/// Delivers, in one process.
pub struct Deliverer {
    pool: PgPool,
    vault: Vault,
    keys: Followed<SigningKeys>,
    transport: Transport,
    metrics: Arc<WorkerMetrics>,
    /// By endpoint and number: a number never gets another secret.
    secrets: Cache<(Uuid, i32), Arc<Secret>>,
    busy: Mutex<HashMap<Uuid, usize>>,
}

/// What an attempt met: a word for it, the HTTP status, how long the other side asks us to wait.
type Met = (&'static str, Option<u16>, Option<Duration>);

impl Deliverer {
    /// Over a pool of the role `vintem_webhooks`.
    pub fn new(
        pool: PgPool,
        vault: Vault,
        keys: Followed<SigningKeys>,
        transport: Transport,
        metrics: Arc<WorkerMetrics>,
    ) -> Self {
        Self { pool, vault, keys, transport, metrics, secrets: Cache::new(SECRETS), busy: Mutex::default() }
    }

    /// Delivers until the task is ended. What fails is tried again.
    pub async fn run(self) {
        let (own, mut flights) = (Arc::new(self), JoinSet::new());
        let (mut measure_at, mut clean_at) = (Instant::now(), Instant::now());
        loop {
            while flights.try_join_next().is_some() {}
            let claimed = own.claim(IN_FLIGHT.saturating_sub(flights.len())).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "due webhooks cannot be claimed");
                Vec::new()
            });
            let is_idle = claimed.is_empty();
            for claimed in claimed {
                let flight = Flight::begin(own.clone(), claimed.at.endpoint);
                flights.spawn(async move {
                    flight.own.deliver(claimed).await;
                    drop(flight);
                });
            }
            own.metrics.webhooks.in_flight(flights.len());
            if is_idle {
                // A request that ends makes room, and an endpoint free.
                tokio::select! {
                    () = sleep(POLL) => {}
                    Some(_) = flights.join_next() => {}
                }
            }
            if Instant::now() >= measure_at {
                measure_at = Instant::now() + GLANCE;
                own.measure().await;
            }
            if Instant::now() >= clean_at {
                clean_at = Instant::now() + CLEANING.0;
                own.clean().await;
            }
        }
    }

    async fn claim(&self, room: usize) -> Result<Vec<Claimed>, sqlx::Error> {
        if room == 0 {
            return Ok(Vec::new());
        }
        let busy: Vec<Uuid> = {
            let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            busy.iter().filter(|(_, count)| **count >= PER_ENDPOINT).map(|(endpoint, _)| *endpoint).collect()
        };
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let portion = Portion { per_endpoint: number(PER_ENDPOINT), total: number(room), seconds: CLAIM_SECONDS };
        queue::claim(&self.pool, fresh::new_id(), &busy, portion).await
    }

    async fn deliver(&self, claimed: Claimed) {
        let began = Instant::now();
        let met = match &claimed.event {
            None => ("abandoned", None, None),
            Some(event) => match self.attempt(&claimed, event).await {
                Ok(met) => met,
                Err(error) => {
                    tracing::warn!(%error, endpoint = %claimed.at.endpoint, "a webhook's secret cannot be opened; it waits");
                    self.give_back(&claimed).await;
                    return;
                }
            },
        };
        let draw = u64::from_be_bytes(random::bytes());
        let attempted = Attempted {
            milliseconds: i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX),
            status: met.1.and_then(|status| i16::try_from(status).ok()),
            outcome: met.0,
            fate: fate(met, u32::try_from(claimed.tries).unwrap_or(0) + 1, draw),
        };
        self.metrics.webhooks.attempt(met.0);
        match queue::settle(&self.pool, claimed.at, claimed.claim, attempted).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::info!(endpoint = %claimed.at.endpoint, "a webhook's delivery is somebody else's by now");
            }
            // Its claim ends by itself, and it is delivered again.
            Err(error) => tracing::warn!(%error, "a webhook's attempt could not be noted"),
        }
    }

    async fn attempt(&self, claimed: &Claimed, event: &Event) -> Result<Met, SecretsError> {
        let secrets = self.open(claimed).await?;
        let secrets: Vec<&Secret> = secrets.iter().map(Arc::as_ref).collect();
        let Some(body) = message::body(claimed.at.position, event) else { return Ok(("abandoned", None, None)) };
        let id = message::id(claimed.at.shard, claimed.at.epoch, claimed.at.position);
        let timestamp = clock::now().timestamp();
        let signature = signature::header(&id, timestamp, &body, &secrets, &self.keys.load());
        Ok(met(self.transport.post(&claimed.url, Outgoing { id, timestamp, signature, body }).await))
    }

    async fn open(&self, claimed: &Claimed) -> Result<Vec<Arc<Secret>>, SecretsError> {
        let mut secrets = Vec::with_capacity(claimed.secrets.len());
        for (number, sealed) in &claimed.secrets {
            let name = (claimed.at.endpoint, *number);
            if let Some(secret) = self.secrets.get(&name) {
                secrets.push(secret);
                continue;
            }
            let secret = open_secret(&self.vault, claimed.at.tenant, claimed.at.endpoint, sealed).await?;
            let secret = Arc::new(secret);
            self.secrets.insert(name, secret.clone());
            secrets.push(secret);
        }
        Ok(secrets)
    }

    async fn give_back(&self, claimed: &Claimed) {
        // One that is not given back is due again when its claim ends.
        let _ = queue::give_back(&self.pool, claimed.at, claimed.claim, UNTRIED_SECONDS).await;
    }

    async fn measure(&self) {
        match queue::backlog(&self.pool).await {
            Ok(backlog) => {
                let age = backlog.oldest.and_then(|oldest| (backlog.now - oldest).to_std().ok()).unwrap_or_default();
                self.metrics.webhooks.due(backlog.due, age);
            }
            Err(error) => tracing::warn!(%error, "due webhooks cannot be counted"),
        }
    }

    async fn clean(&self) {
        let (_, portion, kept_days) = CLEANING;
        if let Err(error) = queue::clean(&self.pool, kept_days, portion).await {
            tracing::warn!(%error, "old webhook deliveries cannot be deleted");
        }
    }
}

/// A request that is out, counted for its endpoint until it is dropped, however that comes about.
struct Flight {
    own: Arc<Deliverer>,
    endpoint: Uuid,
}

impl Flight {
    fn begin(own: Arc<Deliverer>, endpoint: Uuid) -> Self {
        *own.busy.lock().unwrap_or_else(PoisonError::into_inner).entry(endpoint).or_default() += 1;
        Self { own, endpoint }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut busy = self.own.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.endpoint) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.endpoint);
            }
        }
    }
}

fn met(answer: Result<Said, Silence>) -> Met {
    match answer {
        Ok(Said { status, retry_after }) => {
            let outcome = match status {
                200..=299 => "delivered",
                300..=399 => "redirected",
                410 => "gone",
                _ => "rejected",
            };
            (outcome, Some(status), retry_after)
        }
        Err(Silence::AddressRefused) => ("address-refused", None, None),
        Err(Silence::TimedOut) => ("timed-out", None, None),
        Err(Silence::Unreachable) => ("unreachable", None, None),
    }
}

/// What follows from an attempt, the `tries`th of its round.
fn fate((outcome, _, retry_after): Met, tries: u32, draw: u64) -> Fate {
    match outcome {
        "delivered" => Fate::Delivered,
        "gone" => Fate::Gone,
        // The event is no longer in the log; trying again cannot help.
        "abandoned" => Fate::Failed,
        _ => schedule::wait_after(tries, draw, retry_after).map_or(Fate::Failed, Fate::Again),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_depends_on_the_answer_and_on_patience() {
        let said = |status| met(Ok(Said { status, retry_after: None }));
        let after = |answer, tries| fate(answer, tries, 0);
        assert_eq!(after(said(204), 1), Fate::Delivered);
        assert_eq!(after(said(410), 1), Fate::Gone);
        for answer in [said(500), said(404), said(302), met(Err(Silence::TimedOut)), met(Err(Silence::AddressRefused))]
        {
            assert!(matches!(after(answer, 1), Fate::Again(_)), "{answer:?}");
            assert!(matches!(after(answer, 9), Fate::Again(_)), "{answer:?}");
            assert_eq!(after(answer, 10), Fate::Failed, "{answer:?}");
        }
        assert_eq!(after(("abandoned", None, None), 1), Fate::Failed);
        let busy = met(Ok(Said { status: 503, retry_after: Some(Duration::from_mins(2)) }));
        assert_eq!(after(busy, 1), Fate::Again(Duration::from_mins(2)));
    }
}

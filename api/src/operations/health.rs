//! Whether the process can serve: the database answers, no shard is halted, the leased users live.
//!
//! Anybody may ask, so the answer is kept for a second: asking often must not load the database.

use crate::problem::Code;
use serde::Serialize;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;
use vintem_core::ledger::service::Ledger;
use vintem_core::projections::views::Views;
use vintem_core::secrets::{LeaseState, Vault};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(1);
/// Views are seconds old, seldom more; older ones say that nobody folds.
const OLD: Duration = Duration::from_mins(1);
/// A database that needs longer is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a process stands on. A process with unleased connections (a test) has no Vault.
#[derive(Debug, Default)]
pub struct Health {
    vault: Option<Vault>,
    leases: Vec<(&'static str, watch::Receiver<LeaseState>)>,
    kept: Mutex<Option<(Instant, Report)>>,
}

/// How the process stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// `ready`, `degraded` (views are behind: the broker or the worker is away; everything else goes on), or `not-ready`.
    #[schema(example = "ready")]
    pub status: &'static str,
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    pub database: &'static str,
    /// The shards that are halted: their writes answer 503 `ledger-halted`, reads go on.
    pub halted_shards: Vec<i16>,
    /// `ok`, `sealed` or `unavailable`. What is leased goes on without it.
    #[schema(example = "ok")]
    pub vault: &'static str,
    /// `ok`, or `behind` when a view is older than a minute or stands still.
    #[schema(example = "ok")]
    pub views: &'static str,
    /// The leased database users whose time is over.
    pub ended_leases: Vec<&'static str>,
    /// Why it is not ready.
    #[serde(skip)]
    pub why: Option<Code>,
}

impl Health {
    /// Of a process with leased users.
    pub fn new(vault: Vault, leases: Vec<(&'static str, watch::Receiver<LeaseState>)>) -> Self {
        Self { vault: Some(vault), leases, kept: Mutex::default() }
    }

    /// Looks, or answers what was seen a moment ago.
    pub async fn report(&self, ledger: &Ledger, views: &Views) -> Report {
        let kept = |kept: &Mutex<Option<(Instant, Report)>>| kept.lock().map(|kept| kept.clone()).unwrap_or_default();
        if let Some((seen_at, report)) = kept(&self.kept).filter(|(seen_at, _)| seen_at.elapsed() < KEPT) {
            tracing::trace!(age_ms = seen_at.elapsed().as_millis(), "the kept report is young enough");
            return report;
        }
        let report = self.look(ledger, views).await;
        if let Ok(mut kept) = self.kept.lock() {
            *kept = Some((Instant::now(), report.clone()));
        }
        report
    }

    async fn look(&self, ledger: &Ledger, views: &Views) -> Report {
        let halted = timeout(PATIENCE, ledger.halted()).await.ok().and_then(Result::ok);
        // Views that cannot be asked are not behind: the database is away, which is told.
        let lags = timeout(PATIENCE, views.lags()).await.ok().and_then(Result::ok).unwrap_or_default();
        let is_behind = lags.iter().any(|lag| lag.is_parked || lag.age > OLD);
        let vault = match &self.vault {
            None => "ok",
            Some(vault) => vault.health().await.as_str(),
        };
        let is_over = |lease: &watch::Receiver<LeaseState>| lease.borrow().expires_at <= Instant::now();
        let ended_leases: Vec<&'static str> =
            self.leases.iter().filter(|(_, lease)| is_over(lease)).map(|(role, _)| *role).collect();
        let why = if halted.is_none() {
            Some(Code::DatabaseUnavailable)
        } else if !ended_leases.is_empty() {
            Some(Code::VaultSealed)
        } else if halted.as_ref().is_some_and(|shards| !shards.is_empty()) {
            Some(Code::LedgerHalted)
        } else {
            None
        };
        Report {
            status: match (&why, is_behind) {
                (Some(_), _) => "not-ready",
                (None, true) => "degraded",
                (None, false) => "ready",
            },
            database: if halted.is_some() { "ok" } else { "unavailable" },
            halted_shards: halted.unwrap_or_default(),
            vault,
            views: if is_behind { "behind" } else { "ok" },
            ended_leases,
            why,
        }
    }

    /// The remaining life of each leased user, for the metrics.
    pub fn lease_lives(&self) -> Vec<(&'static str, Duration)> {
        let life =
            |lease: &watch::Receiver<LeaseState>| lease.borrow().expires_at.saturating_duration_since(Instant::now());
        self.leases.iter().map(|(role, lease)| (*role, life(lease))).collect()
    }

    /// The calls to Vault, in Prometheus's text form.
    pub fn vault_calls(&self) -> String {
        self.vault.as_ref().map(Vault::metrics).unwrap_or_default()
    }

    /// The remaining life of the Vault token.
    pub fn token_life(&self) -> Option<Duration> {
        self.vault.as_ref().map(Vault::token_remaining)
    }
}

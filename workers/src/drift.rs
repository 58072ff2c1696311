//! The drift checks, always on: a sample of the ledger is held against its log, and a shard that is certainly not what
//! its log says is halted.
//!
//! Views are rebuilt when they are wrong and no decision reads them, so what is found there only alarms.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use vintem_core::event_store::{head, lease};
use vintem_core::telemetry::WorkerMetrics;
use vintem_core::verify::drift::{Checked, Drift};

/// Between two samples.
const TICK: Duration = Duration::from_secs(30);
/// One projection is folded anew so often, one after the other.
const VIEW: Duration = Duration::from_hours(1);
/// A checker that is gone is replaced after this long. Folding a view may take longer; then two check, which does no harm.
const LEASE_SECONDS: i32 = 120;

/// The checks of one shard, in one process.
pub struct Checker {
    auditor: PgPool,
    writer: PgPool,
    metrics: Arc<WorkerMetrics>,
    shard: i16,
    holder: Uuid,
    drift: Drift,
}

impl Checker {
    /// Reads as the auditor, and halts as the writer.
    pub fn new(auditor: PgPool, writer: PgPool, metrics: Arc<WorkerMetrics>, shard: i16, holder: Uuid) -> Self {
        Self { auditor, writer, metrics, shard, holder, drift: Drift::new(shard) }
    }

    /// Checks until the task is ended.
    pub async fn run(mut self) {
        let mut view_at = Instant::now() + VIEW;
        loop {
            sleep(TICK).await;
            let with_view = Instant::now() >= view_at;
            if with_view {
                view_at = Instant::now() + VIEW;
            }
            if let Err(error) = self.tick(with_view).await {
                tracing::warn!(%error, shard = self.shard, "the ledger could not be checked");
            }
        }
    }

    /// Checks the next sample, and perhaps a view, if this process holds the lease.
    pub async fn tick(&mut self, with_view: bool) -> Result<(), sqlx::Error> {
        let lease = format!("drift:{}", self.shard);
        if lease::take(&self.writer, &lease, self.holder, LEASE_SECONDS).await?.is_none() {
            return Ok(());
        }
        let mut session = self.auditor.acquire().await?;
        let mut checked = self.drift.round(&mut session).await?;
        if with_view {
            checked.push(self.drift.next_view(&mut session).await?);
        }
        drop(session);
        for checked in checked {
            self.tell(&checked).await?;
        }
        Ok(())
    }

    async fn tell(&self, checked: &Checked) -> Result<(), sqlx::Error> {
        self.metrics.drift(checked.check, self.shard, checked.count, checked.findings.len());
        for finding in &checked.findings {
            tracing::error!(shard = self.shard, check = checked.check, %finding, "the ledger is not what its log says");
        }
        let Some(first) = checked.findings.first().filter(|_| checked.is_certain) else { return Ok(()) };
        let reason = format!("{first} ({} findings of the check of {})", checked.findings.len(), checked.check);
        head::halt(&mut *self.writer.acquire().await?, self.shard, &reason).await?;
        tracing::error!(shard = self.shard, reason, "the shard is halted; `vintem recover` lifts it");
        Ok(())
    }
}

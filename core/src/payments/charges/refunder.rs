//! Following refunds that could not be paid at once.
//!
//! The job of a refund stands in the commit that asked for it. Any worker takes it and proposes the payment again, for as long as the
//! service may come into money; then the refund has failed, and counts no more. A refund is paid once, because its charge's stream has
//! one version after another; so a crash anywhere costs a repetition.

use super::batch::{self, Batches};
use super::charge::{Charge, RefundStatus, Slot, hold_stream};
use super::confirm::Drawn;
use super::refund::{Follow, REFUND};
use crate::event_store::job::unanswered;
use crate::event_store::overlay::Origin;
use crate::event_store::{Decision, Outcome, Shard, WriteError, fresh, read, ticking};
use crate::event_store::{Job as Write, RefusalCode};
use crate::jobs::{Job, pause, store as jobs};
use crate::kernel::Refusal;
use crate::telemetry::clock::Clock;
use chrono::TimeDelta;
use futures_util::future::join_all;
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

/// How often it is looked for work.
const TICK: Duration = Duration::from_secs(1);
/// A refund that is tried for longer than this is tried by somebody else.
const PATIENCE: Duration = Duration::from_mins(1);
/// Refunds tried at once; what they propose shares commits.
const PAGE: i64 = 100;
/// For so long a refund is tried: a service that has no money for a week will not have it tomorrow.
pub const TRIED_FOR: TimeDelta = TimeDelta::days(7);

/// The follower of a shard's refunds in one process.
#[derive(Clone)]
pub struct Refunder {
    pool: PgPool,
    number: i16,
    shard: Shard,
    clock: Clock,
}

/// Why a refund could not be paid now.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0}")]
    Refused(Refusal),
    #[error("the refund makes no sense")]
    Senseless,
}

impl Refunder {
    /// Over the writer's pool, since it looks across tenants, and a writer of this process for the shard.
    pub fn new(pool: PgPool, number: i16, shard: Shard, clock: Clock) -> Self {
        Self { pool, number, shard, clock }
    }

    /// Ticks until the process ends. What fails is tried again.
    pub async fn run(self) {
        let mut beat = ticking::every(TICK);
        loop {
            beat.tick().await;
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, shard = self.number, "the refunds that are due cannot be read");
            }
        }
    }

    /// Tries what is due; answers how many refunds are done with.
    pub async fn tick(&self) -> Result<usize, sqlx::Error> {
        let due = jobs::take_of_shard(&self.pool, self.number, REFUND, PATIENCE, PAGE).await?;
        let tried = join_all(due.iter().map(|job| self.pay(job))).await;
        let mut done = 0;
        for (job, tried) in due.iter().zip(tried) {
            match tried {
                Ok(()) => {
                    jobs::done(&self.pool, job).await?;
                    done += 1;
                }
                Err(stuck) => {
                    tracing::warn!(refund = job.key, attempts = job.attempts, %stuck, "a refund is not paid yet");
                    jobs::insist(&self.pool, job, &stuck.to_string(), pause(job.attempts)).await?;
                }
            }
        }
        Ok(done)
    }

    async fn pay(&self, job: &Job) -> Result<(), Stuck> {
        let Follow { tenant, charge: id, refund } = serde_json::from_str(&job.payload).map_err(|_| Stuck::Senseless)?;
        let charge = self.charge(tenant, id).await?;
        let decision = charge.pay_refund(&refund, fresh::new_id()).ok_or(Stuck::Senseless)?;
        match self.append(tenant, decision).await {
            Err(Stuck::Refused(refusal)) if self.is_hopeless(&charge, &refund, refusal.code) => {
                let drawn = self.drawn(tenant, charge.created.terminal).await?;
                let failed = charge.fail_refund(&refund, refusal.code, &drawn).ok_or(Stuck::Senseless)?;
                self.append(tenant, failed).await
            }
            appended => appended,
        }
    }

    /// A closed account takes nothing ever again; everything else may change.
    fn is_hopeless(&self, charge: &Charge, refund: &str, code: RefusalCode) -> bool {
        let processing = charge.refund(refund).filter(|refund| refund.status == RefundStatus::Processing);
        let asked_at = processing.map(|refund| refund.recorded.recorded_at);
        code == RefusalCode::AccountClosed || asked_at.is_some_and(|asked_at| (self.clock)() - asked_at >= TRIED_FOR)
    }

    async fn append(&self, tenant: Uuid, decision: Decision) -> Result<(), Stuck> {
        let origin = Origin::command(tenant, "refunds");
        let job = Write { origin, request: None, items: vec![decision.into()], render: unanswered() };
        // A stream that moved on is an error like others: the next try finds what came between.
        match self.shard.dispose(job).await?.alone()? {
            Outcome::Refused(refusal) => Err(Stuck::Refused(refusal)),
            Outcome::Applied(_) | Outcome::Already(_) => Ok(()),
        }
    }

    async fn charge(&self, tenant: Uuid, id: Uuid) -> Result<Charge, Stuck> {
        let mut session = self.pool.acquire().await?;
        let events = read::streams(&mut session, self.number, &[id, hold_stream(tenant, id)]).await?;
        match Slot::fold(id, &events) {
            Some(Slot::Charge(charge)) => Ok(*charge),
            _ => Err(Stuck::Senseless),
        }
    }

    async fn drawn(&self, tenant: Uuid, terminal: Uuid) -> Result<Drawn, Stuck> {
        let stream = batch::stream(tenant, terminal);
        let mut session = self.pool.acquire().await?;
        let events = read::streams(&mut session, self.number, &[stream]).await?;
        let batch = Batches::fold(stream, events).current;
        Ok(Drawn { tenant, transaction: fresh::new_id(), batch })
    }
}

impl std::fmt::Debug for Refunder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refunder")
    }
}

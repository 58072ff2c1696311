//! Following orders until it is known what became of them.
//!
//! The job of an order stands in the commit that promised it. Any worker takes it, asks the adapter, and proposes what it says
//! to the shard's writer. It may do so twice: an order starts once outside, because its id is the same, and ends once
//! here, because its stream has one version after another. So a crash anywhere costs a repetition.

use super::topup::TopUp;
use super::withdrawal::{Passes, Withdrawal};
use super::{Away, Follow, FundingAdapter, Progress, SETTLE, named};
use crate::event_store::job::unanswered;
use crate::event_store::overlay::Origin;
use crate::event_store::{Decision, Outcome, Recorded, Shard, WriteError, fresh, read, ticking};
use crate::event_store::{Job as Write, RefusalCode};
use crate::jobs::{Job, pause, store as jobs};
use crate::kernel::Refusal;
use crate::ledger::returns::{self, Returns};
use crate::payments::event::Stranding;
use crate::payments::posting::{self, ISSUED, WITHDRAWALS};
use crate::telemetry::clock::Clock;
use futures_util::future::join_all;
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

/// How often it is looked for work.
const TICK: Duration = Duration::from_secs(1);
/// An order that is asked about for longer than this is asked about by somebody else.
const PATIENCE: Duration = Duration::from_mins(1);
/// What failed, or cannot be done yet, is tried again after this or longer, for as long as it takes: it is somebody's money.
const RETRY: Duration = Duration::from_secs(10);
/// So often an order is looked at anew in one go.
const ATTEMPTS: usize = 5;
/// Orders followed at once; what they propose shares commits.
const PAGE: i64 = 100;

/// The follower of a shard's orders in one process.
#[derive(Clone)]
pub struct Settler {
    pool: PgPool,
    number: i16,
    shard: Shard,
    clock: Clock,
}

/// What is next for an order.
enum Next {
    /// Nothing any more.
    Done,
    /// To be asked about again.
    Later(Duration),
    /// Another order of the same owner, or another process, came between: to be looked at anew.
    Anew,
}

/// Why an order could not be followed now.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Away(#[from] Away),
    #[error("{0}")]
    Refused(Refusal),
    #[error("the order or its adapter makes no sense")]
    Senseless,
}

impl Settler {
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
                tracing::warn!(%error, shard = self.number, "the orders that are due cannot be read");
            }
        }
    }

    /// Follows what is due; answers how many orders are done with.
    pub async fn tick(&self) -> Result<usize, sqlx::Error> {
        let due = jobs::take_of_shard(&self.pool, self.number, SETTLE, PATIENCE, PAGE).await?;
        let followed = join_all(due.iter().map(|job| self.settle(job))).await;
        let mut done = 0;
        for (job, next) in due.iter().zip(followed) {
            match next {
                Ok(Next::Done) => {
                    jobs::done(&self.pool, job).await?;
                    done += 1;
                }
                Ok(Next::Anew) => jobs::insist(&self.pool, job, "others came between", RETRY).await?,
                Ok(Next::Later(again)) => {
                    // Whole seconds are slept; a part of one more is never too early.
                    jobs::insist(&self.pool, job, "it is not known yet", again + Duration::from_secs(1)).await?;
                }
                Err(stuck) => {
                    tracing::warn!(order = job.key, attempts = job.attempts, %stuck, "an order is not settled yet");
                    jobs::insist(&self.pool, job, &stuck.to_string(), pause(job.attempts).max(RETRY)).await?;
                }
            }
        }
        Ok(done)
    }

    /// Orders of one owner meet, because what may come back to them is one stream: who comes second looks again at once.
    async fn settle(&self, job: &Job) -> Result<Next, Stuck> {
        for _ in 0..ATTEMPTS {
            match self.look(job).await? {
                Next::Anew => {}
                next => return Ok(next),
            }
        }
        Ok(Next::Later(Duration::ZERO))
    }

    async fn look(&self, job: &Job) -> Result<Next, Stuck> {
        let Follow { tenant, order } = serde_json::from_str(&job.payload).map_err(|_| Stuck::Senseless)?;
        let events = self.stream(order).await?;
        if let Some(top_up) = TopUp::fold(&events) {
            return self.top_up(tenant, &top_up).await;
        }
        let withdrawal = Withdrawal::fold(&events).ok_or(Stuck::Senseless)?;
        self.withdrawal(tenant, &withdrawal).await
    }

    async fn top_up(&self, tenant: Uuid, top_up: &TopUp) -> Result<Next, Stuck> {
        if top_up.credited.is_some() || top_up.stranded.is_some() {
            return Ok(Next::Done);
        }
        let adapter = adapter(&top_up.requested.method)?;
        match adapter.follow(&top_up.order(), (self.clock)() - top_up.requested_at).await? {
            Progress::Pending { again } => Ok(Next::Later(again)),
            Progress::Over => Ok(Next::Done),
            Progress::Funded => {
                let issued = posting::system(tenant, ISSUED, &top_up.requested.asset);
                match self.append(tenant, top_up.credit(fresh::new_id(), issued)).await {
                    Err(Stuck::Refused(refusal)) => {
                        let because = stranding(&refusal).ok_or(Stuck::Refused(refusal))?;
                        tracing::warn!(top_up = %top_up.id, ?because, "the money of a top-up is at the bank and nobody's here");
                        self.append(tenant, top_up.strand(because)).await
                    }
                    appended => appended,
                }
            }
            Progress::Paid | Progress::Rejected { .. } => Err(Stuck::Senseless),
        }
    }

    async fn withdrawal(&self, tenant: Uuid, withdrawal: &Withdrawal) -> Result<Next, Stuck> {
        let Some((_, approved_at)) = withdrawal.approved else { return Err(Stuck::Senseless) };
        if withdrawal.ended.is_some() {
            return Ok(Next::Done);
        }
        let (adapter, order) = (adapter(&withdrawal.requested.method)?, withdrawal.order());
        let started = adapter.start(&order).await?;
        let account = |name| posting::system(tenant, name, &withdrawal.requested.asset);
        let passes = Passes { withdrawals: account(WITHDRAWALS), issued: account(ISSUED) };
        let beside = returns::stream(tenant, withdrawal.requested.owner.account);
        let returns = Returns::fold(beside, &self.stream(beside).await?);
        match adapter.follow(&order, (self.clock)() - approved_at).await? {
            Progress::Pending { again } => Ok(Next::Later(again)),
            Progress::Paid => {
                self.append(tenant, withdrawal.pay(fresh::new_id(), started.reference, passes, &returns)).await
            }
            Progress::Rejected { reason } => {
                self.append(tenant, withdrawal.reject(fresh::new_id(), reason, passes, &returns)).await
            }
            Progress::Funded | Progress::Over => Err(Stuck::Senseless),
        }
    }

    async fn append(&self, tenant: Uuid, decision: Decision) -> Result<Next, Stuck> {
        let origin = Origin::command(tenant, "funding");
        let job = Write { origin, request: None, items: vec![decision.into()], render: unanswered() };
        match self.shard.dispose(job).await?.alone() {
            Ok(Outcome::Refused(refusal)) => Err(Stuck::Refused(refusal)),
            Ok(Outcome::Applied(_) | Outcome::Already(_)) => Ok(Next::Done),
            Err(_) => Ok(Next::Anew),
        }
    }

    async fn stream(&self, order: Uuid) -> Result<Vec<Recorded>, sqlx::Error> {
        let mut session = self.pool.acquire().await?;
        read::streams(&mut session, self.number, &[order]).await
    }
}

/// Why money that came can be nobody's any more. What may still change is waited for: at the latest its time ends.
fn stranding(refusal: &Refusal) -> Option<Stranding> {
    match refusal.code {
        RefusalCode::ChargeExpired => Some(Stranding::TooLate),
        RefusalCode::AccountClosed => Some(Stranding::AccountClosed),
        _ => None,
    }
}

fn adapter(method: &str) -> Result<&'static dyn FundingAdapter, Stuck> {
    named(method).ok_or(Stuck::Senseless)
}

impl std::fmt::Debug for Settler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settler")
    }
}

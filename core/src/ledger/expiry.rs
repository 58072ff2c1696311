//! The clock that ends holds whose time is over, so that their money returns without anybody asking.
//!
//! Several processes may run it; a lease row lets one of them work. Even without the lease nothing
//! could go wrong: an expiry is a proposal like any other, and a hold ends once.

use super::store::look_ups;
use crate::event_store::job::unanswered;
use crate::event_store::overlay::Origin;
use crate::event_store::{Decision, Job, Proposal, Shard, WriteError, lease, ticking};
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// A holder that is gone is replaced after this long.
const LEASE_SECONDS: i32 = 15;
const TICK: Duration = Duration::from_secs(1);
/// Holds ended in one commit.
const PAGE: i64 = 500;

/// The clock of one shard in one process.
#[derive(Clone)]
pub struct ExpiryClock {
    writer: PgPool,
    number: i16,
    shard: Shard,
    holder: Uuid,
}

impl ExpiryClock {
    /// Over the writer's pool, since it looks across tenants, and a writer of this process for the shard: that another
    /// process writes the same shard is nothing special. `holder` is the process in the lease row.
    pub fn new(writer: PgPool, number: i16, shard: Shard, holder: Uuid) -> Self {
        Self { writer, number, shard, holder }
    }

    /// Ticks until the process ends. What fails is tried again at the next tick.
    pub async fn run(self) {
        let mut beat = ticking::every(TICK);
        loop {
            beat.tick().await;
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, shard = self.number, "the hold clock could not tick");
            }
        }
    }

    /// Ends what is due now, if this process holds the lease; answers how many holds.
    pub async fn tick(&self) -> Result<usize, sqlx::Error> {
        let lease = format!("hold-expiry:{}", self.number);
        if lease::take(&self.writer, &lease, self.holder, LEASE_SECONDS).await?.is_none() {
            return Ok(0);
        }
        let mut session = self.writer.acquire().await?;
        let due = look_ups::due_holds(&mut session, self.number, PAGE).await?;
        let mut tenants: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for (tenant, hold) in due {
            tenants.entry(tenant).or_default().push(hold);
        }
        let mut ended = 0;
        for (tenant, holds) in tenants {
            let proposals = look_ups::expiries(&mut session, self.number, &holds).await?;
            let count = proposals.len();
            match self.shard.dispose(job(tenant, proposals)).await {
                Ok(_) => ended += count,
                // The next tick finds what is still due.
                Err(WriteError::Halted) => {}
                Err(error) => tracing::warn!(%error, shard = self.number, "expired holds could not be ended"),
            }
        }
        Ok(ended)
    }
}

fn job(tenant: Uuid, proposals: Vec<Proposal>) -> Job {
    Job {
        origin: Origin::command(tenant, "clock"),
        request: None,
        items: proposals.into_iter().map(|proposal| Decision::Propose(proposal).into()).collect(),
        render: unanswered(),
    }
}

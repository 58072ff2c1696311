//! Destroying keys until they are destroyed.
//!
//! Whoever records an erasure destroys the key at once. If that process dies in between, or the database of keys is
//! away, the job that stands in the same commit as the event does it: taken by any worker, repeated until it is done.

use std::time::Duration;

use sqlx::PgPool;

use super::holder::{ERASE, Erasure};
use crate::event_store::ticking;
use crate::jobs::{Job, store as jobs};
use crate::secrets::people::PersonKeys;

/// How often it is looked for work: an erasure promises a minute.
const TICK: Duration = Duration::from_secs(2);
/// A deletion that takes longer than this is tried by somebody else.
const PATIENCE: Duration = Duration::from_secs(30);
/// One that failed is tried again after this, for as long as it takes: somebody was told a minute.
const RETRY: Duration = Duration::from_secs(10);
/// Jobs taken at once.
const PAGE: i64 = 100;

/// Works off the erasures of all shards. Jobs are the writer's.
#[derive(Debug, Clone)]
pub struct Eraser {
    jobs: PgPool,
    keys: PersonKeys,
}

impl Eraser {
    /// Over the pool of the role writer and the keys.
    pub fn new(jobs: PgPool, keys: PersonKeys) -> Self {
        Self { jobs, keys }
    }

    /// Runs until the task is ended.
    pub async fn run(self) {
        let mut beat = ticking::every(TICK);
        loop {
            beat.tick().await;
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, "the erasures that are due cannot be read");
            }
        }
    }

    /// Does what is due; answers how many keys that were.
    pub async fn tick(&self) -> Result<usize, sqlx::Error> {
        let due = jobs::take(&self.jobs, ERASE, PATIENCE, PAGE).await?;
        let mut done = 0;
        for job in &due {
            match self.erase(job).await {
                Ok(()) => {
                    jobs::done(&self.jobs, job).await?;
                    done += 1;
                }
                Err(why) => {
                    tracing::warn!(
                        holder = job.key,
                        attempts = job.attempts,
                        why,
                        "a person's key is not destroyed yet"
                    );
                    jobs::insist(&self.jobs, job, &why, RETRY).await?;
                }
            }
        }
        Ok(done)
    }

    async fn erase(&self, job: &Job) -> Result<(), String> {
        let erasure: Erasure = serde_json::from_str(&job.payload).map_err(|error| error.to_string())?;
        self.keys.destroy(erasure.tenant, erasure.person).await.map_err(|error| error.to_string())
    }
}

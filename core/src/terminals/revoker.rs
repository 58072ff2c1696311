//! Revoking certificates in Vault until they are revoked.
//!
//! The log's word counts at every request; Vault's list of revoked certificates is the second wall, for whoever checks
//! certificates without asking us. The job stands in the same commit as the event, and any worker does it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use super::event::TerminalCertificate;
use crate::event_store::personal::Ask;
use crate::event_store::ticking;
use crate::jobs::{Job, store as jobs};
use crate::secrets::Vault;

/// The kind of the job.
const REVOKE: &str = "revoke-certificate";
/// How often it is looked for work.
const TICK: Duration = Duration::from_secs(2);
/// A revocation that takes longer than this is tried by somebody else.
const PATIENCE: Duration = Duration::from_secs(30);
/// Jobs taken at once.
const PAGE: i64 = 20;

/// What the job says.
#[derive(Debug, Serialize, Deserialize)]
struct Revocation {
    tenant: Uuid,
    number: String,
}

/// Asks for the revocation of a certificate.
pub(super) fn ask(tenant: Uuid, certificate: &TerminalCertificate) -> Ask {
    let says = Revocation { tenant, number: certificate.number.clone() };
    // A struct of texts always serialises.
    let payload = serde_json::to_string(&says).unwrap_or_default();
    Ask { kind: REVOKE, key: certificate.number.clone(), payload }
}

/// Works off the revocations of all shards. Jobs are the writer's.
#[derive(Debug, Clone)]
pub struct Revoker {
    jobs: PgPool,
    vault: Vault,
}

impl Revoker {
    /// Over the pool of the role writer, and whoever may revoke.
    pub fn new(jobs: PgPool, vault: Vault) -> Self {
        Self { jobs, vault }
    }

    /// Runs until the task is ended.
    pub async fn run(self) {
        let mut beat = ticking::every(TICK);
        loop {
            beat.tick().await;
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, "the revocations that are due cannot be read");
            }
        }
    }

    /// Does what is due; answers how many certificates that were.
    pub async fn tick(&self) -> Result<usize, sqlx::Error> {
        let due = jobs::take(&self.jobs, REVOKE, PATIENCE, PAGE).await?;
        let mut done = 0;
        for job in &due {
            match self.revoke(job).await {
                Ok(()) => {
                    jobs::done(&self.jobs, job).await?;
                    done += 1;
                }
                Err(why) => {
                    tracing::warn!(
                        number = job.key,
                        attempts = job.attempts,
                        why,
                        "a certificate is not revoked in Vault yet"
                    );
                    // One that has ended meanwhile is nobody's any more, so this is given up in the end.
                    jobs::failed(&self.jobs, job, &why).await?;
                }
            }
        }
        Ok(done)
    }

    async fn revoke(&self, job: &Job) -> Result<(), String> {
        let says: Revocation = serde_json::from_str(&job.payload).map_err(|error| error.to_string())?;
        self.vault.revoke_certificate(&says.number).await.map_err(|error| error.to_string())
    }
}

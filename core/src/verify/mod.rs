//! Does the ledger still say what was written? Checked on a live system, while writes go on.
//!
//! One walk over the log ([`walk`]) recomputes the chain of tips and folds every event ([`fold`]) by
//! the writer's own rules. What is derived from the log must then equal that fold: entries
//! ([`entries`]), counters ([`counters`]), look-ups ([`look_ups`]), projections ([`views`]). Personal keys
//! must be of holders who live ([`personal`]). Requests must stand in the chain
//! ([`requests`]), and the schema must still refuse changes ([`schema`]).
//!
//! Invariants kept here: everything is read up to one fixed position, page by page, each page in a
//! statement of its own, so that no snapshot grows old under a verification that takes hours. Memory is
//! bounded by accounts and open holds, never by events. Nothing is written but temporary tables.
//! A finding never ends the run: each kind of damage is told by its first rows.
//!
//! [`drift`] asks some of these questions of a sample, always, in the background.
//!
//! This is the one place that reads every context's tables: an auditor is nobody's colleague.
//!
//! Deliberately absent: repair. What is found is for a person to judge.

mod account;
mod charges;
mod counters;
pub mod drift;
mod entries;
mod explain;
mod fold;
mod holds;
mod link;
mod look_ups;
mod personal;
mod report;
mod requests;
mod reversals;
mod schema;
mod store;
mod views;
mod walk;

pub use report::{Finding, Findings, Progress, Report, Rule, Silent, Subject};

use crate::event_store::{chain, head};
use sqlx::PgConnection;
use std::time::Instant;
use store::log::End;

/// What every pass works with.
struct Audit<'a> {
    session: &'a mut PgConnection,
    shard: i16,
    /// Nothing beyond it is looked at.
    end: End,
    findings: Findings,
    progress: &'a mut dyn Progress,
}

/// The shards that there are.
pub async fn shards(session: &mut PgConnection) -> Result<Vec<i16>, sqlx::Error> {
    head::shards(session).await
}

/// Verifies a shard up to its newest position. The session acts as the auditor.
///
/// `Err` is a ledger that could not be read; what is wrong with one that could is in the report.
pub async fn run(session: &mut PgConnection, shard: i16, progress: &mut dyn Progress) -> Result<Report, sqlx::Error> {
    let started = Instant::now();
    store::look_ups::begin(session, &store::look_ups::names()).await?;
    let end = store::log::end(session, shard).await?;
    let mut audit = Audit { session: &mut *session, shard, end, findings: Findings::default(), progress };
    let report = audit.passes().await;
    // Temporary tables would hide the real ones from whoever uses this session next.
    store::look_ups::finish(session, &store::look_ups::names()).await?;
    let mut report = report?;
    let findings = std::mem::take(&mut report.findings);
    let mut audit = Audit { session: &mut *session, shard, end, findings, progress };
    views::check(&mut audit).await?;
    Ok(Report { elapsed: started.elapsed(), findings: audit.findings, ..report })
}

impl Audit<'_> {
    async fn passes(&mut self) -> Result<Report, sqlx::Error> {
        schema::check(self).await?;
        self.check_end();
        let walked = walk::walk(self).await?;
        walked.fold.check_totals(&mut self.findings);
        let entries = entries::check(self, &walked.fold).await?;
        counters::check(self, &walked.fold).await?;
        requests::check_bodies(self).await?;
        walked.look_ups.check(self).await?;
        walked.living.check(self).await?;
        Ok(Report {
            shard: self.shard,
            epoch: self.end.epoch,
            seq: self.end.seq,
            position: self.end.position,
            tip: self.end.tip.unwrap_or_else(|| chain::genesis(self.shard)),
            batches: walked.batches,
            events: walked.events,
            entries,
            requests: walked.requests,
            accounts: walked.fold.accounts.len() as u64,
            elapsed: std::time::Duration::ZERO,
            findings: std::mem::take(&mut self.findings),
        })
    }

    /// The newest batch must reach the newest event, and every request: all three are of one snapshot.
    fn check_end(&mut self) {
        let end = self.end;
        if end.position > end.batched {
            let detail = format!(
                "is missing: the newest batch is {} and ends at {}, and there is event {}",
                end.seq, end.batched, end.position
            );
            self.findings.add(Rule::Batch, Subject::Batch(end.seq + 1), detail);
        }
        if end.position < end.batched {
            let detail = format!("is missing: the newest batch is {} and ends at {}", end.seq, end.batched);
            self.findings.add(Rule::Position, Subject::Event(end.position + 1), detail);
        }
        if end.newest_request > end.seq {
            self.findings.add(Rule::Batch, Subject::Batch(end.newest_request), "is missing: requests name it");
        }
    }
}

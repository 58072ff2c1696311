//! `vintem verify`: the auditor checks a live ledger, and names the first broken rows.

use std::error::Error;

use clap::Args;
use sqlx::PgConnection;
use vintem_core::event_store::chain::hex;
use vintem_core::secrets::DatabaseRole;
use vintem_core::verify::{self, Report};

use crate::progress::{Shown, per_second};
use crate::session::Session;

/// Check chain, entries, counters, holds, requests, look-ups, views and schema; writes go on meanwhile.
///
/// Exit code 0: nothing was found. 1: each finding is one line that names the row.
#[derive(Debug, Args)]
pub struct Verify {
    /// Only this shard.
    #[arg(long)]
    shard: Option<i16>,
}

impl Verify {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let session = Session::open(DatabaseRole::Auditor).await?;
        let mut connection = session.database().pool().acquire().await?;
        let verified = self.verify(&mut connection).await;
        drop(connection);
        session.close().await;
        let reports = verified?;
        Ok(u8::from(reports.iter().any(|report| !report.findings.is_empty())))
    }

    async fn verify(&self, connection: &mut PgConnection) -> Result<Vec<Report>, sqlx::Error> {
        let shards = match self.shard {
            Some(shard) => vec![shard],
            None => verify::shards(connection).await?,
        };
        let mut reports = Vec::with_capacity(shards.len());
        for shard in shards {
            let mut shown = Shown::default();
            let report = verify::run(connection, shard, &mut shown).await;
            shown.finish();
            let report = report?;
            print(&report);
            reports.push(report);
        }
        Ok(reports)
    }
}

fn print(report: &Report) {
    let Report { shard, epoch, seq, position, findings, .. } = report;
    for finding in findings.told() {
        println!("shard {shard}: {finding}");
    }
    for (rule, more) in findings.untold() {
        println!("shard {shard}: {more} more findings about {rule}");
    }
    let verdict = if findings.is_empty() { "is whole" } else { "IS BROKEN" };
    let tip = hex(&report.tip);
    println!(
        "shard {shard} {verdict}: {} batches, {} events, {} entries, {} requests, {} accounts in {}.{:03} s ({} events/s)",
        report.batches,
        report.events,
        report.entries,
        report.requests,
        report.accounts,
        report.elapsed.as_secs(),
        report.elapsed.subsec_millis(),
        per_second(report.events, report.elapsed)
    );
    println!("shard {shard} up to position {position}, batch {seq} of epoch {epoch}, tip {tip}");
}

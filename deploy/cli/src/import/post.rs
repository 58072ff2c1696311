//! Posts a surveyed file: a reader on a thread of its own, lanes of batches, one report.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::try_join_all;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, channel, unbounded_channel};

use super::batch::Packer;
use super::failure::Failure;
use super::lane::{Lane, Report, Shared};
use super::plan::{Chart, Step};
use super::source::Source;
use super::{ImportError, ReadError};
use crate::progress::Progress;

/// Parcels that wait in a lane while one is in flight: enough that reading never keeps the ledger waiting.
const WAITING: usize = 2;
/// With so many accounts refused, the mapping is wrong rather than the bank.
const MOST_FAILURES: usize = 20;

/// How to post.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Items of a batch.
    pub batch: usize,
    /// Batches in flight at once; an account is only ever in one of them.
    pub lanes: usize,
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Rows posted now.
    pub posted: u64,
    /// Rows that were in the ledger already.
    pub known: u64,
    /// Rows left out, because an earlier row of their account was refused.
    pub withheld: u64,
    /// The refused rows.
    pub failures: Vec<Failure>,
    /// Too many rows were refused to go on.
    pub given_up: bool,
}

/// Posts every step of `source`.
pub async fn post(shared: Arc<Shared>, source: Source, movements: u64, pace: Pace) -> Result<Outcome, ImportError> {
    let stop = Arc::new(AtomicBool::new(false));
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..pace.lanes.max(1)).map(|_| channel(WAITING)).unzip();
    let reader = {
        let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
        tokio::task::spawn_blocking(move || feed(source, &shared.chart, pace.batch, &senders, &stop))
    };
    let (reports, received) = unbounded_channel();
    let lanes = receivers.into_iter().map(|parcels| Lane::new(&shared, reports.clone()).run(parcels));
    let lanes = try_join_all(lanes.collect::<Vec<_>>());
    drop(reports);
    let (lanes, outcome) = tokio::join!(lanes, follow(received, movements, &stop));
    lanes?;
    match reader.await {
        Ok(Ok(()) | Err(ReadError::Stopped)) => Ok(outcome),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Reads the file once more and hands each chain's parcels to its lane.
fn feed(
    source: Source,
    chart: &Chart,
    batch: usize,
    lanes: &[Sender<super::batch::Parcel>],
    stop: &AtomicBool,
) -> Result<(), ReadError> {
    let mut packers: Vec<_> = lanes.iter().map(|_| Packer::new(batch)).collect();
    let send = |lane: usize, parcels: Vec<_>| {
        // A lane that has ended has said why.
        parcels.into_iter().try_for_each(|parcel| lanes[lane].blocking_send(parcel).map_err(|_| ReadError::Stopped))
    };
    source.for_each(|step: Step| {
        if stop.load(Ordering::Relaxed) {
            return Err(ReadError::Stopped);
        }
        let lane = step.chain() as usize % lanes.len();
        send(lane, packers[lane].push(step, chart)?)
    })?;
    for (lane, packer) in packers.iter_mut().enumerate() {
        send(lane, packer.flush(chart)?)?;
    }
    Ok(())
}

/// Adds up what the lanes report, and stops the reader when too much is refused.
async fn follow(mut reports: UnboundedReceiver<Report>, movements: u64, stop: &AtomicBool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut progress = Progress::start("rows", movements);
    while let Some(report) = reports.recv().await {
        match report {
            Report::Rows { posted, known, withheld } => {
                outcome.posted += posted;
                outcome.known += known;
                outcome.withheld += withheld;
                progress.add(posted + known + withheld);
            }
            Report::Refused(failure) => outcome.failures.push(failure),
        }
        if outcome.failures.len() >= MOST_FAILURES {
            outcome.given_up = true;
            stop.store(true, Ordering::Relaxed);
        }
    }
    progress.finish();
    outcome.failures.sort_by_key(|failure| failure.line);
    outcome
}

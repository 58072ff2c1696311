//! One lane of an import: a batch in flight at a time, so that the rows of an account stay in order.

use std::collections::HashSet;

use tokio::sync::mpsc::{Receiver, UnboundedSender};

use super::ImportError;
use super::batch::{Parcel, pack};
use super::failure::{self, Failure};
use super::plan::{Chart, Movement};
use super::verdict::{BatchAnswer, Verdict, Why, judge};
use crate::client::{Client, ClientError, Problem};

/// What a lane reports while it works.
#[derive(Debug)]
pub enum Report {
    /// Rows are in: newly, or from an earlier import.
    Rows {
        /// Posted now.
        posted: u64,
        /// Posted earlier.
        known: u64,
        /// Left out, because an earlier row of their account was refused.
        withheld: u64,
    },
    /// A row was refused; its account is not followed any further.
    Refused(Failure),
}

/// What all lanes of an import share.
pub struct Shared {
    /// The connection.
    pub client: Client,
    /// The accounts.
    pub chart: Chart,
    /// Makes keys of this run that no other run has used.
    pub run: String,
}

/// Posts parcels until there are no more.
pub struct Lane<'a> {
    shared: &'a Shared,
    reports: UnboundedSender<Report>,
    closed: HashSet<u32>,
}

impl<'a> Lane<'a> {
    /// A lane that has refused nothing yet.
    pub fn new(shared: &'a Shared, reports: UnboundedSender<Report>) -> Self {
        Self { shared, reports, closed: HashSet::new() }
    }

    /// Posts every parcel, one after the other.
    pub async fn run(mut self, mut parcels: Receiver<Parcel>) -> Result<(), ImportError> {
        while let Some(parcel) = parcels.recv().await {
            let Parcel { movements, body, broken } = parcel;
            let before = movements.len();
            if movements.iter().any(|movement| self.closed.contains(&movement.chain)) {
                let open =
                    movements.into_iter().filter(|movement| !self.closed.contains(&movement.chain)).collect::<Vec<_>>();
                self.report(Report::Rows { posted: 0, known: 0, withheld: (before - open.len()) as u64 });
                self.post_again(open).await?;
            } else {
                self.post(Parcel { movements, body, broken: Vec::new() }).await?;
            }
            for mismatch in broken {
                if self.closed.insert(mismatch.chain) {
                    self.report(Report::Refused(Failure::from(mismatch)));
                }
            }
        }
        Ok(())
    }

    async fn post_again(&mut self, movements: Vec<Movement>) -> Result<(), ImportError> {
        for parcel in pack(movements, &self.shared.chart)? {
            self.post(parcel).await?;
        }
        Ok(())
    }

    /// Posts a parcel; where a row is refused, the rows of its account before it alone.
    async fn post(&mut self, parcel: Parcel) -> Result<(), ImportError> {
        let mut parcel = parcel;
        while !parcel.movements.is_empty() {
            let verdict = self.ask(&parcel).await?;
            self.report(Report::Rows { posted: verdict.posted, known: verdict.known, withheld: 0 });
            if verdict.refused.is_empty() {
                return Ok(());
            }
            let (again, withheld) = self.settle(&parcel, &verdict).await;
            self.report(Report::Rows { posted: 0, known: 0, withheld });
            // The rows before a refused one went through with it in no group; now they do by themselves.
            // A second refusal among them (someone else moved the account) cuts further ahead.
            match pack(again, &self.shared.chart)?.into_iter().next() {
                Some(rest) => parcel = rest,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Closes the chains that were refused; the rows to post again, and how many will not be.
    async fn settle(&mut self, parcel: &Parcel, verdict: &Verdict) -> (Vec<Movement>, u64) {
        let mut again = Vec::new();
        let mut withheld = 0;
        for (place, movement) in parcel.movements.iter().enumerate() {
            match verdict.refused.get(&movement.chain) {
                Some(refused) if place < refused.place && matches!(refused.why, Why::Problem(_)) => {
                    again.push(movement.clone());
                }
                Some(refused) if place >= refused.place => withheld += 1,
                _ => {}
            }
        }
        for (chain, refused) in &verdict.refused {
            self.closed.insert(*chain);
            let movement = &parcel.movements[refused.place];
            let before: Vec<_> = again.iter().filter(|other: &&Movement| other.chain == *chain).collect();
            let failure = failure::explain(self.shared, movement, &before, &refused.why).await;
            self.report(Report::Refused(failure));
        }
        (again, withheld)
    }

    /// The definite answer to a parcel.
    async fn ask(&self, parcel: &Parcel) -> Result<Verdict, ImportError> {
        let (verdict, replayed) = self.send(parcel, &parcel.key("")).await?;
        if replayed && !verdict.refused.is_empty() {
            // The answer was given to an earlier run. What it refused may be fine by now (an account
            // unfrozen, a bound raised), so it is asked once more; what was posted is known by its ids.
            let salt = format!("-{}", self.shared.run);
            return Ok(self.send(parcel, &parcel.key(&salt)).await?.0);
        }
        Ok(verdict)
    }

    async fn send(&self, parcel: &Parcel, key: &str) -> Result<(Verdict, bool), ImportError> {
        let answer = match self.shared.client.post("/v1/batches", key, parcel.body.clone()).await {
            Ok(answer) => answer,
            Err(ClientError::Refused(problem)) => return Err(malformed(parcel, *problem)),
            Err(error) => return Err(error.into()),
        };
        let results: BatchAnswer<'_> = answer.json()?;
        let mut verdict = judge(&parcel.movements, &self.shared.chart, &results).ok_or(ImportError::ResultCount)?;
        if answer.replayed {
            // Whatever the old answer calls new was posted by the run that it was given to.
            verdict.known += std::mem::take(&mut verdict.posted);
        }
        Ok((verdict, answer.replayed))
    }

    fn report(&self, report: Report) {
        // The receiver is gone only when the command itself is ending.
        let _ = self.reports.send(report);
    }
}

/// A batch that was refused as a whole points to the item that made it so.
fn malformed(parcel: &Parcel, problem: Problem) -> ImportError {
    let mut lines = parcel.movements.iter().flat_map(|movement| movement.transactions.iter().map(|_| movement.line));
    match problem.pointed_index("/items/").and_then(|item| lines.nth(item)) {
        Some(line) => ImportError::Row { line, problem: Box::new(problem) },
        None => ClientError::Refused(Box::new(problem)).into(),
    }
}

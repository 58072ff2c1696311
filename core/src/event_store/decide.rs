//! Deciding the jobs of one batch, in the order in which they came.

use super::append::RequestRow;
use super::hooks::Hooks;
use super::job::{Disposed, Done, Item, Job, Waiting};
use super::overlay::{Mark, Origin, Overlay, Stop};
use super::proposal::{Decision, Outcome, Proposal};
use super::wanted::{Found, Wanted, scope};
use crate::kernel::{Refusal, RefusalCode};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// Decides on an overlay.
pub(super) struct Decider<'a> {
    pub shard: i16,
    /// Where returns of held money are looked up; only with the lock held.
    pub returns: Option<Returns<'a>>,
    pub overlay: Overlay,
    pub requests: Vec<RequestRow>,
    /// Accounts that were short of funds and have no hold whose time is over at the batch's instant.
    pub not_due: HashSet<Uuid>,
    /// A return may be due and could not be looked up: what was decided does not count.
    pub must_look: bool,
}

/// The contexts' knowledge of returns, and the session that holds the lock.
pub(super) struct Returns<'a> {
    pub hooks: &'a dyn Hooks,
    pub tx: &'a mut PgConnection,
}

/// The actor of what the writer appends on its own account.
pub const CLOCK: &str = "clock";

impl<'a> Decider<'a> {
    /// One that has decided nothing yet.
    pub fn new(shard: i16, overlay: Overlay, returns: Option<Returns<'a>>) -> Self {
        Self { shard, returns, overlay, requests: Vec::new(), not_due: HashSet::new(), must_look: false }
    }

    /// Every job gets its word; what is to be recorded stands in the overlay and the request rows.
    pub async fn dispose(&mut self, waiting: &[Waiting], found: &Found) -> Result<Vec<Disposed>, sqlx::Error> {
        let mut disposed = Vec::with_capacity(waiting.len());
        for Waiting { job, .. } in waiting {
            disposed.push(match replay(job, found) {
                Some(replayed) => replayed,
                None => self.job(job).await?,
            });
        }
        Ok(disposed)
    }

    async fn job(&mut self, job: &Job) -> Result<Disposed, sqlx::Error> {
        let before = self.overlay.mark();
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(job.items.len());
        while outcomes.len() < job.items.len() {
            let rest = &job.items[outcomes.len()..];
            let together =
                rest.iter().take_while(|item| item.group.is_some() && item.group == rest[0].group).count().max(1);
            self.group(&job.origin, &rest[..together], &mut outcomes).await?;
        }
        let refused = || {
            outcomes.iter().enumerate().filter(|(_, o)| matches!(o, Some(Outcome::Refused(_)))).map(|(index, _)| index)
        };
        if outcomes.iter().any(Option::is_none) {
            self.overlay.roll_back(before);
            return Ok(Disposed::Conflict(refused().collect()));
        }
        let outcomes = outcomes.into_iter().flatten().collect();
        let done = Done { recorded_at: self.overlay.now, outcomes };
        let answer = (job.render)(&done);
        if let Some(key) = &job.request {
            let position = done.outcomes.iter().find_map(first_position);
            self.requests.push(RequestRow {
                origin: job.origin.clone(),
                key: key.clone(),
                answer: answer.clone(),
                position,
            });
        }
        Ok(Disposed::Done(Box::new(done), answer))
    }

    /// Items that stand or fall together. An item that must be decided again has no outcome; the
    /// job goes on all the same, so that one attempt finds every refusal that the next must know.
    async fn group(
        &mut self,
        origin: &Origin,
        items: &[Item],
        outcomes: &mut Vec<Option<Outcome>>,
    ) -> Result<(), sqlx::Error> {
        let before = self.overlay.mark();
        let first = outcomes.len();
        for (index, item) in items.iter().enumerate() {
            match self.item(origin, &item.decision).await? {
                Ok(outcome) => outcomes.push(Some(outcome)),
                Err(Stop::Conflict) => {
                    outcomes.extend(items[index..].iter().map(|_| None));
                    return Ok(());
                }
                Err(Stop::Refused(refusal) | Stop::Short(_, refusal)) => {
                    self.overlay.roll_back(before);
                    outcomes.truncate(first);
                    let group_failed = |_| {
                        Some(Outcome::Refused(Refusal::new(
                            RefusalCode::GroupFailed,
                            "another item of the group was refused",
                        )))
                    };
                    outcomes.extend(items[..index].iter().map(group_failed));
                    outcomes.push(Some(Outcome::Refused(refusal)));
                    outcomes.extend(items[index + 1..].iter().map(group_failed));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn item(&mut self, origin: &Origin, decision: &Decision) -> Result<Result<Outcome, Stop>, sqlx::Error> {
        match decision {
            Decision::Already(applied) => Ok(Ok(Outcome::Already(applied.clone()))),
            Decision::Refuse(refusal, expects) => {
                let current =
                    expects.iter().try_for_each(|e| self.overlay.require_version(origin, e.stream, e.version));
                Ok(Err(current.err().unwrap_or_else(|| Stop::Refused(refusal.clone()))))
            }
            Decision::Propose(proposal) => {
                let proposed = self.propose_or(origin, proposal).await?;
                Ok(proposed.map(|mark| Outcome::Applied(self.overlay.applied_since(mark))))
            }
        }
    }

    /// Proposes it, and what stands behind it where it is refused. A stream that moved on refuses nothing: it is decided anew.
    async fn propose_or(&mut self, origin: &Origin, proposal: &Proposal) -> Result<Result<Mark, Stop>, sqlx::Error> {
        let mut last = self.propose(origin, proposal).await?;
        for instead in proposal.alternatives().skip(1) {
            match last {
                Err(Stop::Refused(_) | Stop::Short(..)) => last = self.propose(origin, instead).await?,
                _ => break,
            }
        }
        Ok(last)
    }

    async fn propose(&mut self, origin: &Origin, proposal: &Proposal) -> Result<Result<Mark, Stop>, sqlx::Error> {
        let mark = self.overlay.mark();
        match self.overlay.propose(origin, proposal) {
            Ok(()) => Ok(Ok(mark)),
            Err(Stop::Short(account, refusal)) if self.return_due(origin, account).await? => {
                let mark = self.overlay.mark();
                Ok(self.overlay.propose(origin, proposal).map(|()| mark).map_err(|stop| match stop {
                    Stop::Short(account, _) => Stop::Short(account, refusal),
                    other => other,
                }))
            }
            Err(stop) => Ok(Err(stop)),
        }
    }

    /// Ends the holds whose time is over on an account; answers whether there were any.
    async fn return_due(&mut self, origin: &Origin, account: Uuid) -> Result<bool, sqlx::Error> {
        // Most refusals are of accounts that hold nothing; only what is held can return.
        if self.overlay.account(account).is_none_or(|state| state.held.is_zero()) || self.not_due.contains(&account) {
            return Ok(false);
        }
        let Some(Returns { hooks, tx }) = &mut self.returns else {
            self.must_look = true;
            return Ok(false);
        };
        let due = hooks.due_returns(tx, self.shard, account, self.overlay.now).await?;
        if due.is_empty() {
            self.not_due.insert(account);
        }
        let mut wanted = Wanted::by_proposals(&due);
        let mut found = wanted.recall(|id| self.overlay.account(id).copied(), |id| self.overlay.stream(id));
        wanted.read(tx, self.shard, &mut found).await?;
        self.overlay.know(found.accounts, found.streams);
        let clock = Origin::command(origin.tenant, CLOCK);
        let mut returned = false;
        for proposal in &due {
            // A hold that an earlier item of this batch ended already stands at another version now.
            returned |= self.overlay.propose(&clock, proposal).is_ok();
        }
        Ok(returned)
    }
}

fn replay(job: &Job, found: &Found) -> Option<Disposed> {
    let request = found.requests.get(&scope(job)?)?;
    let is_same = job.request.as_ref().is_some_and(|r| r.fingerprint[..] == request.fingerprint[..]);
    Some(if is_same { Disposed::Replayed(request.answer.clone()) } else { Disposed::Mismatch })
}

fn first_position(outcome: &Outcome) -> Option<i64> {
    match outcome {
        Outcome::Applied(applied) | Outcome::Already(applied) => applied.events.first().map(|e| e.position),
        Outcome::Refused(_) => None,
    }
}

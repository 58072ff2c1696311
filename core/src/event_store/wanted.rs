//! Everything that a batch's jobs refer to, collected for one look-up per kind.

use super::job::{Job, Waiting};
use super::look_up::{self, FoundRequest, RequestScope};
use super::overlay::{AccountState, StreamState};
use super::proposal::{Decision, Proposal};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What must be looked up.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    requests: Vec<RequestScope>,
    streams: HashSet<Uuid>,
    accounts: HashSet<Uuid>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub requests: HashMap<RequestScope, FoundRequest>,
    pub streams: HashMap<Uuid, StreamState>,
    pub accounts: HashMap<Uuid, AccountState>,
}

impl Wanted {
    /// Of all jobs of a batch.
    pub fn by(waiting: &[Waiting]) -> Self {
        let mut wanted = Self::default();
        for Waiting { job, .. } in waiting {
            wanted.requests.extend(scope(job));
            for item in &job.items {
                match &item.decision {
                    Decision::Propose(proposal) => wanted.add(proposal),
                    Decision::Refuse(_, expects) => wanted.streams.extend(expects.iter().map(|e| e.stream)),
                    Decision::Already(_) => {}
                }
            }
        }
        wanted
    }

    /// Of proposals that turned up while deciding.
    pub fn by_proposals(proposals: &[Proposal]) -> Self {
        let mut wanted = Self::default();
        for proposal in proposals {
            wanted.add(proposal);
        }
        wanted
    }

    fn add(&mut self, proposal: &Proposal) {
        for alternative in proposal.alternatives() {
            self.add_one(alternative);
        }
    }

    fn add_one(&mut self, proposal: &Proposal) {
        self.streams.extend(proposal.expects.iter().map(|e| e.stream));
        self.accounts.extend(&proposal.must_be_empty);
        self.accounts.extend(proposal.counts.iter().map(|c| c.account));
        for event in &proposal.events {
            if !event.fresh {
                self.streams.insert(event.stream);
            }
            self.accounts.extend(event.moves.iter().map(|m| m.account));
            self.accounts.extend(event.settings.iter().map(|s| s.account));
        }
    }

    /// Takes from memory what is there; the rest remains wanted.
    pub fn recall(
        &mut self,
        mut account: impl FnMut(Uuid) -> Option<AccountState>,
        mut stream: impl FnMut(Uuid) -> Option<StreamState>,
    ) -> Found {
        let mut found = Found::default();
        self.accounts.retain(|id| account(*id).is_none_or(|state| found.accounts.insert(*id, state).is_some()));
        self.streams.retain(|id| stream(*id).is_none_or(|state| found.streams.insert(*id, state).is_some()));
        found
    }

    /// Looks up what remains.
    pub async fn read(&self, connection: &mut PgConnection, shard: i16, found: &mut Found) -> Result<(), sqlx::Error> {
        if !self.accounts.is_empty() {
            let accounts: Vec<Uuid> = self.accounts.iter().copied().collect();
            found.accounts.extend(look_up::accounts(connection, shard, &accounts).await?);
        }
        if !self.streams.is_empty() {
            let streams: Vec<Uuid> = self.streams.iter().copied().collect();
            found.streams.extend(look_up::streams(connection, shard, &streams).await?);
        }
        if !self.requests.is_empty() {
            found.requests = look_up::requests(connection, shard, &self.requests).await?;
        }
        Ok(())
    }
}

/// The scope of a job's key.
pub(super) fn scope(job: &Job) -> Option<RequestScope> {
    job.request.as_ref().map(|r| (job.origin.tenant, r.principal, r.key.to_string()))
}

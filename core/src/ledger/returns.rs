//! What may still come back to an account: while something may, the account is not closed, and its owner is not forgotten.
//!
//! Money that has left an account for a bank is on no balance of it, and yet it returns there should the bank refuse it. So what is on
//! its way stands in a stream beside the account's. Whoever sends something out writes that stream, and whoever closes expects it
//! at the version that they saw: of the two that race, the writer lets one pass.

use super::event::{RETURNS_CHANGED, ReturnsChanged};
use crate::event_store::Recorded;
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::kernel::{Refusal, RefusalCode, name};
use uuid::Uuid;

/// So much may be on its way at once: each fact repeats the whole list.
pub const MOST: usize = 32;

/// What may come back to an account, folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returns {
    at: StreamVersion,
    pending: Vec<Uuid>,
}

/// The stream of what may come back to an account.
pub fn stream(tenant: Uuid, account: Uuid) -> Uuid {
    name::natural_key(tenant, "returns", &[&account.to_string()])
}

impl Returns {
    /// Folds a stream; one without events is of an account to which nothing was ever on its way back.
    pub fn fold(stream: Uuid, events: &[Recorded]) -> Self {
        let Some(last) = events.last() else {
            return Self { at: StreamVersion { stream, version: 0 }, pending: Vec::new() };
        };
        let pending = last.says().map(|ReturnsChanged { pending }| pending).unwrap_or_default();
        Self { at: StreamVersion { stream, version: last.version }, pending }
    }

    /// Something more may come back; or the refusal, and what it holds for.
    pub fn with(&self, id: Uuid) -> Result<NewEvent, (Refusal, StreamVersion)> {
        if self.pending.len() >= MOST {
            let detail =
                format!("{MOST} payments are on their way out of this account; wait until one of them is done");
            return Err((Refusal::new(RefusalCode::InvalidState, detail), self.at));
        }
        Ok(self.becomes(self.pending.iter().copied().chain([id]).collect()))
    }

    /// Something has come back, or never will; `None` when it was not awaited.
    pub fn without(&self, id: Uuid) -> Option<NewEvent> {
        let rest = || self.pending.iter().copied().filter(|pending| *pending != id).collect();
        self.pending.contains(&id).then(|| self.becomes(rest()))
    }

    /// What a closing expects to be still so; or its refusal, and what that holds for.
    pub fn none(&self) -> Result<StreamVersion, (Refusal, StreamVersion)> {
        if self.pending.is_empty() {
            return Ok(self.at);
        }
        let detail = "a withdrawal is approved and not yet paid or rejected: its money may come back to the account";
        Err((Refusal::new(RefusalCode::InvalidState, detail), self.at))
    }

    fn becomes(&self, pending: Vec<Uuid>) -> NewEvent {
        NewEvent::fact(self.at.stream, self.at.version, RETURNS_CHANGED, &ReturnsChanged { pending })
    }
}

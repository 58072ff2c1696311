//! An event as folds see it: read, with the accounts that it names and the day on which it counts.

use crate::event_store::proposal::EntryKind;
use crate::kernel::Instant;
use crate::ledger::event;
use crate::ledger::known::{Identity, Side};
use chrono::NaiveDate;
use std::sync::Arc;
use uuid::Uuid;

/// An event.
#[derive(Debug)]
pub struct Fact {
    /// Where it stands in the log.
    pub position: i64,
    /// Whose it is.
    pub tenant: Uuid,
    /// The transaction, hold or account that it is about.
    pub stream: Uuid,
    /// What happened.
    pub kind: String,
    /// The facts.
    pub payload: String,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Its value date; when it was recorded if none was given.
    pub effective_at: Instant,
    /// The day of its value date where the tenant's days begin.
    pub day: NaiveDate,
    /// What it did to balances.
    pub moves: Vec<Moved>,
}

/// What an event did to an account, in minor units and in the direction of the account's normal side.
#[derive(Debug)]
pub struct Moved {
    /// Which account.
    pub account: Arc<Identity>,
    /// Change of what is posted.
    pub posted: i64,
    /// Change of what is held back.
    pub held: i64,
    /// Change of what is announced.
    pub incoming: i64,
}

impl Fact {
    /// How statements call what it did; `other` for a kind of a later release.
    pub fn word(&self) -> &'static str {
        match event::entry_kind(&self.kind, &self.payload) {
            Some(EntryKind::Posting) => "posting",
            Some(EntryKind::Hold) => "hold",
            Some(EntryKind::Capture) => "capture",
            Some(EntryKind::Release) => "release",
            Some(EntryKind::Expiry) => "expiry",
            Some(EntryKind::Reversal) => "reversal",
            None => "other",
        }
    }

    /// The hold whose money it moved.
    pub fn hold(&self) -> Uuid {
        event::captured_hold(&self.payload).filter(|_| !self.kind.starts_with("hold.")).unwrap_or(self.stream)
    }
}

impl Moved {
    /// What was posted, seen from the debit side.
    pub fn debited(&self) -> i64 {
        if self.account.normal_side == Side::Debit { self.posted } else { -self.posted }
    }
}

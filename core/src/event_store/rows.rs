//! What the writer holds in its hands: states it looked up, rows it will append.

use super::chain::EventColumns;
use super::proposal::{EntryAfter, Recorded, Settings};
use crate::kernel::{Instant, Minor};
use std::sync::Arc;
use uuid::Uuid;

/// An account as the writer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Internal number.
    pub number: i64,
    /// Owner.
    pub tenant: Uuid,
    /// For sentences to people only.
    pub scale: u8,
    /// Bounds, switches, status.
    pub settings: Settings,
    /// Version of the newest entry; 0 before the first.
    pub version: i64,
    /// Balance.
    pub posted: Minor,
    /// Held back.
    pub held: Minor,
    /// Announced.
    pub incoming: Minor,
    /// Position of the newest entry that this state contains: an older event is a no-op on it.
    pub position: i64,
}

impl AccountState {
    /// What can be spent.
    pub fn available(&self) -> Minor {
        self.posted.minus(self.held)
    }
}

/// A counter's newest row: version and what is used.
pub type CounterState = (i64, Minor);

/// A stream that has events: whose it is, and the version of the newest.
pub type StreamState = (Uuid, i32);

/// Who acts, for every event of a job.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The tenant.
    pub tenant: Uuid,
    /// For instance `client:<uuid>` or `clock`.
    pub actor: Arc<str>,
    /// The trace id of the request.
    pub correlation: Option<Arc<str>>,
}

impl Origin {
    /// Of what an operator's command or a clock does.
    pub fn command(tenant: Uuid, actor: &str) -> Self {
        Self { tenant, actor: Arc::from(actor), correlation: None }
    }
}

/// An event row to append.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// The columns that callers see too.
    pub recorded: Recorded,
    /// Who acted.
    pub origin: Origin,
}

impl EventRow {
    /// As the chain hashes it.
    pub fn columns(&self, schema: i16, causation: Option<i64>) -> EventColumns<'_> {
        EventColumns {
            position: self.recorded.position,
            tenant: self.recorded.tenant,
            stream: self.recorded.stream,
            version: self.recorded.version,
            kind: &self.recorded.kind,
            schema,
            payload: &self.recorded.payload,
            actor: &self.origin.actor,
            causation,
            correlation: self.origin.correlation.as_deref(),
            effective_at: self.recorded.effective_at,
        }
    }
}

/// An entry row to append.
#[derive(Debug, Clone, Copy)]
pub struct EntryRow {
    /// The columns that callers see too.
    pub after: EntryAfter,
    /// Owner.
    pub tenant: Uuid,
    /// The event's value date.
    pub effective_at: Option<Instant>,
}

/// A counter row to append.
#[derive(Debug, Clone)]
pub struct CounterRow {
    /// Internal number of the account.
    pub account: i64,
    /// The window's key.
    pub key: String,
    /// Contiguous per key, from 1.
    pub version: i64,
    /// The event that counted.
    pub position: i64,
    /// Used after it.
    pub used: Minor,
    /// Owner.
    pub tenant: Uuid,
}

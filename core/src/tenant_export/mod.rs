//! Everything that is kept of one tenant, a page at a time, for whoever takes it away: a tenant that leaves, or asks.
//!
//! An export states what was recorded up to one position. The log is the truth and stands in it byte for byte, with the batches
//! that its events lie in, so that it can be held against the chain of the shard; the rest can be looked up in it, and is
//! exported for the convenience of those who read it.
//!
//! Invariants:
//! - Every page is one statement, and begins where the one before it ended: an export can be interrupted.
//! - Nothing of another tenant is in a page. A batch names no tenant.
//! - No secret is read: digests of clients' secrets, sealed secrets of webhooks and people's keys are not the auditor's to
//!   read. What the log says of people is ciphertext.
//!
//! Absent: views and stored answers, which follow from the log; deliveries, which are a diary of 30 days.

mod store;

pub use store::{is_still_there, newest, page};

use uuid::Uuid;

/// What an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The tenant's shard.
    pub shard: i16,
    /// The tenant.
    pub tenant: Uuid,
    /// Up to where.
    pub point: Point,
}

/// A batch of the shard's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its last position.
    pub position: i64,
    /// Its number.
    pub seq: i64,
    /// The tip of the chain there.
    pub tip: [u8; 32],
}

/// A part of an export: a list of one kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The tenant's log.
    Events,
    /// The batches that its events lie in, with their tips.
    Batches,
    /// Its assets.
    Assets,
    /// Its accounts, with their balances at the point.
    Accounts,
    /// The keys that it used, and what was answered.
    Requests,
    /// Its programs.
    Clients,
    /// Where it wants to be told over HTTP.
    Endpoints,
    /// Where it wants to be told over RabbitMQ.
    Subscriptions,
}

impl Part {
    /// All of them, the log first.
    pub const ALL: [Self; 8] = [
        Self::Events,
        Self::Batches,
        Self::Assets,
        Self::Accounts,
        Self::Requests,
        Self::Clients,
        Self::Endpoints,
        Self::Subscriptions,
    ];

    /// Its name, for a file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Batches => "batches",
            Self::Assets => "assets",
            Self::Accounts => "accounts",
            Self::Requests => "requests",
            Self::Clients => "clients",
            Self::Endpoints => "webhook-endpoints",
            Self::Subscriptions => "subscriptions",
        }
    }
}

/// Lines of a part, and where the next page begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// One JSON object each.
    pub lines: Vec<String>,
    /// After what; `None` behind the last page.
    pub next: Option<String>,
}

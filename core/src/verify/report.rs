//! What a verification tells: how far it has come, and what it found.

use crate::event_store::chain::Tip;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// Of each kind of finding so many are told; damage comes in thousands.
const TOLD: u64 = 10;

/// Told how far a verification has come.
pub trait Progress: Send {
    /// A pass over about `total` of `what` (a plural) begins.
    fn begin(&mut self, what: &'static str, total: u64);
    /// So many more are done.
    fn add(&mut self, count: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &'static str, _: u64) {}
    fn add(&mut self, _: u64) {}
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Batches follow each other without a gap, and every event and request stands in one.
    Batch,
    /// Tips follow from what was written.
    Chain,
    /// Positions have no gaps.
    Position,
    /// A stream's versions follow each other.
    Stream,
    /// Payloads can be read, and say what their kind can say.
    Payload,
    /// Every transaction balances per asset.
    Balance,
    /// Bounds, switches and statuses were kept.
    Bound,
    /// Holds are captured within their amount and end once.
    Hold,
    /// Reversals take back what was moved, and no more.
    Reversal,
    /// Charges are captured within their authorisation and refunded within their captures.
    Charge,
    /// Entries are the fold of the moves.
    Entry,
    /// Counter rows are the fold of the counts.
    Counter,
    /// Requests stand in the chain, bodies belong to requests.
    Request,
    /// Look-up rows are the fold of the log.
    LookUp,
    /// Projections are the fold of the log at their position.
    Projection,
    /// The whole ledger balances per asset.
    Total,
    /// Triggers, row-level security, grants and indexes are as the migrations made them.
    Schema,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Batch => "the order of batches",
            Self::Chain => "the chain of tips",
            Self::Position => "the order of positions",
            Self::Stream => "the order of streams",
            Self::Payload => "what events say",
            Self::Balance => "the balance of transactions",
            Self::Bound => "bounds and statuses",
            Self::Hold => "holds",
            Self::Reversal => "reversals",
            Self::Charge => "charges",
            Self::Entry => "entries",
            Self::Counter => "counters",
            Self::Request => "requests",
            Self::LookUp => "look-ups",
            Self::Projection => "projections",
            Self::Total => "the balance of the whole",
            Self::Schema => "the schema",
        })
    }
}

/// The row that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A batch, by its seq.
    Batch(i64),
    /// An event, by its position.
    Event(i64),
    /// An entry, by the account's internal number and the version.
    Entry(i64, i64),
    /// A counter row: account, key, version.
    Counter(i64, String, i64),
    /// A request: tenant, principal, key.
    Request(Uuid, Uuid, String),
    /// A kept body of a request.
    RequestBody(Uuid, Uuid, String),
    /// A look-up row, or one of a projection: table and key.
    LookUp(&'static str, String),
    /// A tenant's asset.
    Asset(Uuid, String),
    /// A table, index, role or function.
    Schema(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(seq) => write!(f, "batch {seq}"),
            Self::Event(position) => write!(f, "event {position}"),
            Self::Entry(account, version) => write!(f, "entry {account}/{version}"),
            Self::Counter(account, key, version) => write!(f, "counter {account}/{key}/{version}"),
            Self::Request(tenant, principal, key) => write!(f, "request {tenant}/{principal}/{key}"),
            Self::RequestBody(tenant, principal, key) => write!(f, "request_body {tenant}/{principal}/{key}"),
            Self::LookUp(table, key) => write!(f, "{table} {key}"),
            Self::Asset(tenant, code) => write!(f, "asset {tenant}/{code}"),
            Self::Schema(what) => f.write_str(what),
        }
    }
}

/// One broken row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule it breaks.
    pub rule: Rule,
    /// The row.
    pub subject: Subject,
    /// How.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.detail)
    }
}

/// The first findings of each kind, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    told: Vec<Finding>,
    counts: BTreeMap<Rule, u64>,
}

impl Findings {
    pub(super) fn add(&mut self, rule: Rule, subject: Subject, detail: impl Into<String>) {
        let count = self.counts.entry(rule).or_default();
        *count += 1;
        if *count <= TOLD {
            self.told.push(Finding { rule, subject, detail: detail.into() });
        }
    }

    /// The first of each kind, in the order in which they were found.
    pub fn told(&self) -> &[Finding] {
        &self.told
    }

    /// Kinds of which there are more than are told, and how many more.
    pub fn untold(&self) -> impl Iterator<Item = (Rule, u64)> {
        self.counts.iter().filter(|(_, count)| **count > TOLD).map(|(rule, count)| (*rule, count - TOLD))
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }
}

/// The result of a verification.
#[derive(Debug, Clone)]
pub struct Report {
    /// The shard.
    pub shard: i16,
    /// Its epoch at the end.
    pub epoch: i32,
    /// The newest batch looked at.
    pub seq: i64,
    /// The newest position looked at.
    pub position: i64,
    /// The tip of the newest batch.
    pub tip: Tip,
    /// Batches checked.
    pub batches: u64,
    /// Events checked.
    pub events: u64,
    /// Entries checked.
    pub entries: u64,
    /// Requests checked.
    pub requests: u64,
    /// Accounts folded.
    pub accounts: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What is wrong.
    pub findings: Findings,
}

//! Money comes in from outside and goes out to it.
//!
//! What moves it outside is a [`FundingAdapter`]; this context never does. Facts say what was promised, and a job that stands in the
//! commit of a promise follows it until it is known what became of it ([`settler`]):
//!
//! ```text
//! top-up:      created ─► awaiting_funds ─► credited            topup.requested, topup.credited
//!                              ├─ expired                       (holds nothing, ends by itself)
//!                              └─ unclaimed                     topup.unclaimed: it came, too late or for a closed account
//! withdrawal:  requires_confirmation ─► approved ─► paid        withdrawal.requested, .approved, .paid
//!                              └─ expired     └─ rejected       (ends by itself), withdrawal.rejected
//! ```
//!
//! Invariants:
//! - Money is created by a top-up at most once, in the commit that says so, and never after its time is over: the writer's clock decides.
//! - From the commit of an approval on nobody can spend a withdrawal's amount; it goes out of being or comes back, once.
//! - While a withdrawal is on its way the account that it left is not closed and its owner not erased: its money may come back
//!   ([`returns`](crate::ledger::returns)). A top-up hinders nothing; what comes for a closed account is said to be nobody's, and that ends it.
//! - An approval counts against the owner's limits like a transfer, and takes the same proof. What was rejected stays counted:
//!   whoever can make a bank refuse must not win a limit back.
//! - An order has the same id each time that its adapter hears of it, so that a crash repeats words and not payments.
//!
//! Deliberately absent: adapters of real banks, and so where a withdrawal goes; money that is nobody's, which the books give back or issue.

mod service;
pub mod settler;
pub mod simulator;
pub mod topup;
pub mod withdrawal;

#[cfg(test)]
mod spec;

pub use service::NewOrder;
pub use simulator::Simulator;
pub use topup::TopUp;
pub use withdrawal::Withdrawal;

use super::event::Rejection;
use crate::access::settings::LegalMode;
use crate::event_store::personal::{Ask, Change};
use crate::kernel::Minor;
use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// The kind of the jobs that follow orders.
pub const SETTLE: &str = "settle-funding";

/// In which direction, as the tenant sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A top-up.
    In,
    /// A withdrawal.
    Out,
}

/// What is to happen outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The top-up or withdrawal. Whoever is told of the same one again starts nothing new.
    pub id: Uuid,
    /// In which direction.
    pub direction: Direction,
    /// How much, in minor units.
    pub amount: Minor,
    /// How many decimals a minor unit has.
    pub scale: u8,
    /// Of what.
    pub asset: String,
}

/// An order that was begun outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// What it is called there.
    pub reference: String,
    /// What its owner has to do there; nothing personal.
    pub instructions: String,
    /// How long money is waited for.
    pub open_seconds: u32,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is not known yet, and not before so long.
    Pending {
        /// When to ask again.
        again: Duration,
    },
    /// The money came.
    Funded,
    /// No money will come any more.
    Over,
    /// The money went.
    Paid,
    /// It will not go.
    Rejected {
        /// Why.
        reason: Rejection,
    },
}

/// Nobody outside could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what moves money outside cannot be reached")]
pub struct Away;

/// What moves money outside: a bank, or what stands for one. It knows no ledger; the ledger knows no bank.
pub trait FundingAdapter: Send + Sync {
    /// As requests and facts name it.
    fn name(&self) -> &'static str;

    /// Begins an order, or says again how it was begun.
    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Started, Away>>;

    /// What became of an order that its owner wanted so long ago.
    fn follow<'a>(&'a self, order: &'a Order, waited: TimeDelta) -> BoxFuture<'a, Result<Progress, Away>>;
}

/// How money comes in and goes out in an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Funding {
    /// Sandboxes play; nobody else has a way.
    #[default]
    Sandboxes,
    /// Everybody plays.
    Simulated,
}

impl Funding {
    /// The way of a tenant under this law.
    pub fn of(self, mode: Option<LegalMode>) -> Option<&'static dyn FundingAdapter> {
        (self == Self::Simulated || mode == Some(LegalMode::Sandbox)).then_some(&Simulator as _)
    }
}

/// The adapter of a name that stands in a fact.
fn named(method: &str) -> Option<&'static dyn FundingAdapter> {
    (method == Simulator.name()).then_some(&Simulator as _)
}

/// What the job of an order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Follow {
    tenant: Uuid,
    order: Uuid,
}

/// Asks in a proposal's commit that its order be followed.
fn follow(tenant: Uuid, order: Uuid) -> Change {
    // A struct of ids always serialises.
    let payload = serde_json::to_string(&Follow { tenant, order }).unwrap_or_default();
    Change { asks: vec![Ask { kind: SETTLE, key: order.to_string(), payload }], ..Change::default() }
}

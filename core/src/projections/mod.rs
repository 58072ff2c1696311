//! Views of the log: what people look at that the ledger itself does not answer.
//!
//! A [`Projection`] is a name, a version, some tables, and a [`Fold`] that turns facts ([`fact`]) into
//! a few set-based statements. A [`Follower`] takes a page of the log from a [`Reading`] that it shares with
//! others, folds it, and writes rows and checkpoint ([`checkpoint`]) in one transaction ([`follow`]). A worker drives
//! it; [`rebuild`] builds one anew beside the one that is in use, [`views`] is where readers begin.
//!
//! Invariants kept here: a projection's rows equal the fold of the log at its position, whatever died or
//! raced; the checkpoint moves from the position that was read or not at all, so two processes never fold
//! the same events twice. A checkpoint whose batch is no longer in the log belongs to a history that was
//! forked: it is parked, never added to. So is one whose next event cannot be folded; the others go on.
//!
//! The order in which pages are cut must not matter to a fold: pages are as long as there is to read.
//!
//! Deliberately absent: decisions (they read the ledger), messages (a wake-up is a call of
//! [`Projector::catch_up`]; what it missed is read from the table), side effects.

pub mod activity;
pub mod checkpoint;
pub mod fact;
mod follow;
pub mod hold_ageing;
mod known;
pub mod lag;
mod log;
mod reading;
pub mod rebuild;
pub mod top_accounts;
pub mod trial_balance;
pub mod views;
pub mod volume;

pub use fact::{Fact, Moved};
pub use follow::{Follower, Pace, Projector, Standing};
pub use reading::Reading;

use crate::event_store::shadow::Table;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

/// A view of the log.
pub trait Projection: Send + Sync {
    /// Its name, for ever.
    fn name(&self) -> &'static str;
    /// Raised whenever the same log would now leave other rows: `vintem rebuild` then makes them anew.
    fn version(&self) -> i32;
    /// Its tables.
    fn tables(&self) -> &'static [Table];
    /// Whether rows are only ever added, so that a rebuild may leave even the primary key for later.
    fn only_adds(&self) -> bool {
        false
    }
    /// Whether it writes many rows per event, so that others had better go first when there is much to do.
    fn is_heavy(&self) -> bool {
        false
    }
    /// A fold that has seen nothing yet.
    fn begin(&self) -> Box<dyn Fold>;
}

/// What a page of facts does to a projection's rows.
pub trait Fold: Send {
    /// Takes the next fact.
    fn take(&mut self, fact: &Fact) -> Result<(), Unreadable>;
    /// How many rows it would write by now.
    fn rows(&self) -> usize;
    /// Writes them.
    fn write(self: Box<Self>, tx: &mut PgConnection, shard: i16) -> BoxFuture<'_, Result<(), sqlx::Error>>;
}

/// A fact that cannot be what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {position} {reason}")]
pub struct Unreadable {
    /// Which.
    pub position: i64,
    /// Why.
    pub reason: String,
}

/// Every projection.
pub static ALL: [&dyn Projection; 5] = [
    &activity::Activity,
    &volume::Volume,
    &hold_ageing::HoldAgeing,
    &top_accounts::TopAccounts,
    &trial_balance::TrialBalance,
];

/// By its name.
pub fn find(name: &str) -> Option<&'static dyn Projection> {
    ALL.into_iter().find(|projection| projection.name() == name)
}

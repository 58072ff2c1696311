//! The door to the clock.
//!
//! This clock dates tokens and log lines. It decides nothing in the ledger: the `now` of every
//! decision there is the database's, taken under the shard's lock.

use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A clock that is handed over, to whoever decides how long something lives. Tests set their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The time of this machine.
#[expect(clippy::disallowed_methods, reason = "this is the door to the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

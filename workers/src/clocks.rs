//! The clocks: what happens because it is time.
//!
//! The end of a hold is an event, and only a shard's writer appends. So this process has a writer of its own, beside
//! those of the API: which of them is faster does not matter, each catches up with what the others wrote. A lease lets
//! one process tick per shard; without it, too, a hold would end once.

use std::sync::Arc;

use uuid::Uuid;
use vintem_core::event_store::retention::{self, AnswerRetention};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::ledger::expiry::ExpiryClock;
use vintem_core::look_ups::AllLookUps;
use vintem_core::payments::charges::refunder::Refunder;
use vintem_core::payments::funding::settler::Settler;
use vintem_core::secrets::LeasedDatabase;
use vintem_core::telemetry::clock;

/// A clock writes little and alone.
const WRITER: Limits = Limits { queue: 1_000, cached_accounts: 10_000 };

/// Drives the clocks of a shard until the task is ended; `holder` is the process in the lease rows.
pub async fn run(writer: LeasedDatabase, shard: i16, holder: Uuid) {
    let leased = writer.clone();
    let appends = Shard::start(shard, Arc::new(move || leased.current()), Arc::new(AllLookUps), WRITER);
    let settler = Settler::new(writer.pool().clone(), shard, appends.clone(), Arc::new(clock::now));
    let refunder = Refunder::new(writer.pool().clone(), shard, appends.clone(), Arc::new(clock::now));
    let expiry = ExpiryClock::new(writer.pool().clone(), shard, appends, holder);
    let retention = AnswerRetention::new(writer.pool().clone(), shard, retention::KEPT, holder);
    tokio::join!(expiry.run(), retention.run(), settler.run(), refunder.run());
}

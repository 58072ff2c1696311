//! The append-only log of a shard and its one writer.
//!
//! Services *propose* ([`proposal`]); only the shard writer disposes. A [`job::Job`] carries the
//! decisions of one request to [`writer::Shard`]. The writer takes what waits, looks up what it
//! needs ([`wanted`]), locks the shard ([`head`]), catches up if another process wrote ([`cache`], [`legs`]),
//! checks every proposal on an [`overlay`] that can be rolled back ([`check`], [`decide`]) into a [`draft`], appends
//! events, entries, counters, requests and one batch row ([`append`]), commits, and answers. Large requests are drafted
//! while the batch before them is being appended ([`ahead`]).
//!
//! Invariants kept here: positions are gap-free; a stream's versions and an account's entry
//! versions are contiguous; every balance follows from the one before; no bound or counter is
//! crossed; each batch is chained to the one before ([`chain`]); a key is answered once.
//!
//! What a process has cached is current if and only if the newest tip is the one it built on. If
//! the batch it built on is gone, history was forked: the shard is halted, never folded.
//!
//! [`retention`] deletes the bytes of old answers, which the events can render again.
//!
//! [`personal`] keeps natural keys of people, which are unique and can be deleted.
//!
//! [`recover`] is the only way out of that: an operator begins a new epoch.
//!
//! The log is its own outbox ([`outbox`]): what is committed is published, and nothing else. [`feed`] reads it event by event.
//! It is the audit trail, too ([`audit`]).
//!
//! Deliberately absent: any knowledge of what an event means (contexts hang their look-ups in
//! through [`hooks`]), NOTIFY, sequences, advisory locks, and an updated head row.

mod ahead;
pub mod append;
pub mod audit;
mod cache;
pub mod chain;
pub(crate) mod check;
mod decide;
mod draft;
pub mod fact;
pub mod feed;
pub mod fresh;
pub mod head;
pub mod hooks;
mod in_flight;
pub mod job;
mod kept;
pub mod lease;
pub mod legs;
pub mod look_up;
pub mod outbox;
pub mod overlay;
pub mod personal;
pub mod proposal;
pub mod read;
pub mod recover;
pub mod reindex;
pub mod retention;
pub mod rows;
mod session;
pub mod shadow;
pub mod ticking;
pub mod times;
mod turn;
mod wanted;
pub mod writer;

pub use crate::kernel::RefusalCode;
pub use job::{Answer, Disposed, Done, Item, Job, RequestKey, StoredAnswer, StoredBody, WriteError};
pub use proposal::{Applied, Decision, EntryAfter, Outcome, Proposal, Recorded};
pub use writer::{Credentials, Limits, Shard};

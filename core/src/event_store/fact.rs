//! A fact that moves nothing: one event, alone in its proposal.

use serde::Serialize;
use uuid::Uuid;

use super::job::{Disposed, Job, WriteError, unanswered};
use super::overlay::Origin;
use super::proposal::{Decision, NewEvent, Outcome, Proposal};
use super::writer::Shard;

/// Something that somebody did.
#[derive(Debug)]
pub struct Fact<'a, T> {
    /// Who did it, in whose data.
    pub origin: Origin,
    /// The stream that it belongs to.
    pub stream: Uuid,
    /// How many events must be in it.
    pub expected: i32,
    /// That the stream's id was drawn just now.
    pub fresh: bool,
    /// Its kind.
    pub kind: &'static str,
    /// What the payload says.
    pub says: &'a T,
}

/// Appends it. `false`: there are other events in the stream than were expected.
pub async fn record<T: Serialize + Sync>(shard: &Shard, fact: Fact<'_, T>) -> Result<bool, WriteError> {
    let event = NewEvent { fresh: fact.fresh, ..NewEvent::fact(fact.stream, fact.expected, fact.kind, fact.says) };
    let proposal = Proposal { events: vec![event], ..Proposal::default() };
    let job = Job {
        origin: fact.origin,
        request: None,
        items: vec![Decision::Propose(proposal).into()],
        render: unanswered(),
    };
    match shard.dispose(job).await? {
        Disposed::Done(done, _) if matches!(done.outcomes[..], [Outcome::Applied(_)]) => Ok(true),
        Disposed::Conflict(_) if !fact.fresh => Ok(false),
        // A stream of a fresh id has nobody to lose against, and a fact without moves no bounds.
        _ => Err(WriteError::Defect),
    }
}

//! What travels to the writer and back.

use super::overlay::Origin;
use super::proposal::{Decision, Outcome};
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::{Instant, RefusalCode};
use std::sync::Arc;
use tokio::sync::oneshot;
use uuid::Uuid;

/// One request's decisions. A single write has one; a batch has one per item.
pub struct Job {
    /// Who acts.
    pub origin: Origin,
    /// Under which key; internal jobs (clocks) have none.
    pub request: Option<RequestKey>,
    /// In the order of the items.
    pub items: Vec<Item>,
    /// Makes the answer that is stored with the key, in the same transaction.
    pub render: Render,
}

/// One decision, and the group with which it stands or falls.
#[derive(Debug, Clone)]
pub struct Item {
    /// What the service decided.
    pub decision: Decision,
    /// Consecutive items of one group commit or fail together.
    pub group: Option<Arc<str>>,
}

impl From<Decision> for Item {
    fn from(decision: Decision) -> Self {
        Self { decision, group: None }
    }
}

/// The scope of an idempotency key, and what was asked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's stable subject.
    pub principal: Uuid,
    /// As the caller chose it.
    pub key: Arc<str>,
    /// Over method, path and canonical body.
    pub fingerprint: Fingerprint,
}

/// Makes the stored answer out of what was done.
pub type Render = Arc<dyn Fn(&Done) -> Answer + Send + Sync>;

/// For a job that nobody asked for under a key: there is no answer to keep.
pub fn unanswered() -> Render {
    Arc::new(|_| Answer { status: 200, code: None, body: StoredBody::Rendered })
}

/// What was done with a job's items.
#[derive(Debug, Clone)]
pub struct Done {
    /// The batch's instant.
    pub recorded_at: Instant,
    /// In the order of the items.
    pub outcomes: Vec<Outcome>,
}

/// An answer as stored under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Refusal code, if it is one.
    pub code: Option<RefusalCode>,
    /// The body, or its outline.
    pub body: StoredBody,
}

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredBody {
    /// The answer itself.
    Whole(Vec<u8>),
    /// What is needed to render a large answer again: the events hold the rest.
    Outline(Vec<u8>),
    /// Nothing: the answer is large and follows from the events at the request's position.
    Rendered,
}

/// The writer's last word on a job.
#[derive(Debug)]
pub enum Disposed {
    /// Recorded now.
    Done(Box<Done>, Answer),
    /// The key was answered before.
    Replayed(StoredAnswer),
    /// The key was used for something else.
    Mismatch,
    /// A stream moved on. These items were refused in the attempt: the next one must not build on them.
    Conflict(Vec<usize>),
}

impl Disposed {
    /// What became of the one item of a job without a key. A stream that moved on is `overloaded`: whoever can, decides again.
    pub fn alone(self) -> Result<Outcome, WriteError> {
        match self {
            Self::Done(done, _) => done.outcomes.into_iter().next().ok_or(WriteError::Defect),
            Self::Conflict(_) => Err(WriteError::Overloaded),
            Self::Replayed(_) | Self::Mismatch => Err(WriteError::Defect),
        }
    }
}

/// An answer read back from the request table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// Refusal code.
    pub code: Option<String>,
    /// The batch that recorded it.
    pub seq: i64,
    /// Its first event.
    pub position: Option<i64>,
    /// What was kept; `None` when the bytes were deleted after their time.
    pub body: Option<StoredBody>,
}

/// Why a write has no business answer. Nothing of this kind is ever recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The queue is full.
    #[error("the shard's queue is full")]
    Overloaded,
    /// A request under this key is being worked on in this process.
    #[error("a request under this key is in flight")]
    InFlight,
    /// The shard is halted.
    #[error("the shard is halted until an operator recovers it")]
    Halted,
    /// Postgres could not be reached; nothing was written.
    #[error("the database is not available")]
    DatabaseUnavailable,
    /// The connection was lost while committing and the result could not be learned in time.
    #[error("the outcome is not known")]
    OutcomeUnknown,
    /// The writer found its own data inconsistent; nothing was written.
    #[error("the proposal could not be recorded")]
    Defect,
}

/// A job with the way back, as it waits in the queue.
pub(super) struct Waiting {
    pub job: Job,
    pub reply: oneshot::Sender<Result<Disposed, WriteError>>,
    /// Keeps the key taken until the job has its answer, even if the caller went away.
    pub guard: Option<super::in_flight::Guard>,
}

impl Waiting {
    /// Gives the caller the writer's word. The key is free before the caller can know of it, so
    /// that a repetition never finds its own predecessor in flight.
    pub fn answer(self, word: Result<Disposed, WriteError>) {
        drop(self.guard);
        // A caller that went away finds its answer under its key.
        let _ = self.reply.send(word);
    }
}

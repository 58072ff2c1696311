//! Drafting a large request while the batch before it is being appended.
//!
//! Deciding thousands of items takes the processor about as long as appending them takes Postgres; side by side they
//! take half the time. A draft is decided on what the batch before it will leave: that batch's states and streams,
//! for everything else a look-up over a session of its own, and Postgres' clock, read while the lock was held for
//! that batch. Should anything else come in between, the tip is another one, and the request is decided anew under the
//! lock. Small requests are not drafted: waiting for company makes their batches larger, which saves them more.

use super::draft::Draft;
use super::head::{self, Head};
use super::job::Waiting;
use super::session::Session;
use super::wanted::{Found, Wanted};
use crate::kernel::Instant;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Whoever drafts for longer than this had better decide under the lock.
const LIMIT: Duration = Duration::from_secs(5);

/// A request to draft, and what is known for it.
pub(super) struct Plan {
    pub shard: i16,
    /// The batch before it, as it will stand.
    pub base: Head,
    /// That batch's instant.
    pub not_before: Instant,
    pub waiting: Waiting,
    /// What must still be looked up.
    pub wanted: Wanted,
    /// What memory and the batch before say.
    pub found: Found,
    pub session: Session,
}

/// What came of it: the request is always given back.
pub(super) struct Ahead {
    pub waiting: Vec<Waiting>,
    /// `None`: decide it under the lock.
    pub draft: Option<Draft>,
    pub session: Session,
}

impl Plan {
    /// Drafts on another thread than the one that appends.
    pub fn begin(self, helpers: &Handle) -> JoinHandle<Ahead> {
        helpers.spawn(async move {
            let Self { shard, base, not_before, waiting, wanted, found, mut session } = self;
            let waiting = vec![waiting];
            let drafting = draft(&mut session, shard, base, not_before, &waiting, &wanted, found);
            let drafted = timeout(LIMIT, drafting).await.unwrap_or(Ok(None));
            // Whatever is wrong, the turn under the lock meets it too, and knows what to do about it.
            let draft = drafted.unwrap_or_else(|error| {
                tracing::debug!(%error, shard, "a request could not be drafted ahead");
                None
            });
            Ahead { waiting, draft, session }
        })
    }
}

async fn draft(
    session: &mut Session,
    shard: i16,
    base: Head,
    not_before: Instant,
    waiting: &[Waiting],
    wanted: &Wanted,
    mut found: Found,
) -> Result<Option<Draft>, sqlx::Error> {
    let (number, mut connection) = session.lend().await?;
    wanted.read(&mut connection, shard, &mut found).await?;
    let now = head::clock(&mut connection, not_before).await?;
    session.keep((number, connection));
    Draft::decide(shard, base, now, waiting, found, None).await
}

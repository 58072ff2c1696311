//! Drafting a large request while the batch before it is being appended.
//!
//! Deciding thousands of items takes the processor about as long as appending them takes Postgres; side by side they
//! take half the time. A draft is decided on what the batch before it will leave: that batch's states and streams,
//! for everything else a look-up over a session of its own, and Postgres' clock, read while the lock was held for
//! that batch. Should anything else come in between, the tip is another one, and the request is decided anew under the
//! lock. Small requests are not drafted: waiting for company makes their batches larger, which saves them more.

use super::draft::Draft;
use super::head::{self, Head};
use super::hooks::Hooks;
use super::job::Waiting;
use super::session::Session;
use super::wanted::{Found, Wanted};
use crate::kernel::Instant;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Whoever drafts for longer than this had better decide under the lock.
const LIMIT: Duration = Duration::from_secs(5);

/// Requests to draft, and what is known for them.
pub(super) struct Plan {
    pub shard: i16,
    /// The batch before it, as it will stand.
    pub base: Head,
    /// That batch's instant.
    pub not_before: Instant,
    pub waiting: Vec<Waiting>,
    /// What must still be looked up.
    pub wanted: Wanted,
    /// What memory and the batch before say.
    pub found: Found,
    pub hooks: Arc<dyn Hooks>,
}

/// What came of it: the requests are always given back.
pub(super) struct Ahead {
    pub waiting: Vec<Waiting>,
    /// `None`: decide them under the lock.
    pub draft: Option<Draft>,
    pub session: Session,
}

impl Plan {
    /// Drafts on another thread than the one that appends.
    pub fn begin(mut self, mut session: Session, helpers: &Handle) -> JoinHandle<Ahead> {
        helpers.spawn(async move {
            let drafted = timeout(LIMIT, self.draft(&mut session)).await.unwrap_or(Ok(None));
            // Whatever is wrong, the turn under the lock meets it too, and knows what to do about it.
            let draft = drafted.unwrap_or_else(|error| {
                tracing::debug!(%error, shard = self.shard, "a request could not be drafted ahead");
                None
            });
            Ahead { waiting: self.waiting, draft, session }
        })
    }

    async fn draft(&mut self, session: &mut Session) -> Result<Option<Draft>, sqlx::Error> {
        let mut found = std::mem::take(&mut self.found);
        let (number, mut connection) = session.lend().await?;
        self.wanted.read(&mut connection, self.shard, &mut found).await?;
        let now = head::clock(&mut connection, self.not_before).await?;
        session.keep((number, connection));
        Draft::decide(self.shard, self.base, now, &self.waiting, found, &*self.hooks, None).await
    }
}

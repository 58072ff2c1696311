//! What the contexts hang into the append transaction without the writer knowing them.

use super::append::Statement;
use super::overlay::EventRow;
use super::proposal::Proposal;
use crate::kernel::Instant;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

/// The contexts' part of a commit.
pub trait Hooks: Send + Sync + 'static {
    /// The statements that fold events into the look-up tables. `vintem verify` takes the same ones to
    /// rebuild the tables from the log and compares.
    fn look_ups(&self, shard: i16, events: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error>;

    /// Returns of money that are due on an account (expired holds): the writer appends them itself
    /// before it refuses a movement of that account for lack of funds.
    fn due_returns<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        shard: i16,
        account: Uuid,
        now: Instant,
    ) -> BoxFuture<'a, Result<Vec<Proposal>, sqlx::Error>>;
}

/// For batches without events: nothing to fold, nothing due.
#[derive(Debug, Clone, Copy)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn look_ups(&self, _: i16, _: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error> {
        Ok(Vec::new())
    }

    fn due_returns<'a>(
        &'a self,
        _: &'a mut PgConnection,
        _: i16,
        _: Uuid,
        _: Instant,
    ) -> BoxFuture<'a, Result<Vec<Proposal>, sqlx::Error>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

//! All contexts' part of every commit: the look-up tables that each of them folds from the events.
//!
//! The writer is handed this one, and knows none of them; neither do they know each other.

use crate::event_store::Proposal;
use crate::event_store::append::Statement;
use crate::event_store::hooks::Hooks;
use crate::event_store::overlay::EventRow;
use crate::kernel::Instant;
use crate::{ledger, payments, settlement, terminals};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

type Fold = fn(i16, &[EventRow]) -> Result<Vec<Statement>, sqlx::Error>;

/// In the order in which their statements are executed.
const FOLDS: [Fold; 4] =
    [ledger::store::look_ups::fold, payments::charges::fold_look_ups, settlement::store::look_ups, terminals::look_ups];

/// What every writer is started with.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllLookUps;

impl Hooks for AllLookUps {
    fn look_ups(&self, shard: i16, events: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error> {
        let mut statements = Vec::new();
        for fold in FOLDS {
            statements.extend(fold(shard, events)?);
        }
        Ok(statements)
    }

    fn due_returns<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        shard: i16,
        account: Uuid,
        now: Instant,
    ) -> BoxFuture<'a, Result<Vec<Proposal>, sqlx::Error>> {
        Box::pin(ledger::store::look_ups::due_returns(tx, shard, account, now))
    }
}

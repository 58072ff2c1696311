//! Ending a halt: after a failover or restore an operator declares what is there to be the history.

use super::append;
use super::chain::FLAG_RECOVERY;
use super::draft::Draft;
use super::head::{self, Head};
use sqlx::PgConnection;

/// What a recovery found and began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The newest batch before it: whatever earlier epochs recorded beyond is abandoned.
    pub kept: Head,
    /// The epoch that begins.
    pub epoch: i32,
    /// Why the shard was halted, if it was.
    pub halted: Option<String>,
}

/// Appends an empty batch of the next epoch and lifts the brake, in one transaction.
/// Sequence numbers and positions go on. The session acts as the operator.
pub async fn recover(session: &mut PgConnection, shard: i16) -> Result<Recovery, sqlx::Error> {
    let mut tx = head::begin(session, shard).await?;
    let found = head::read(&mut tx, shard, 0).await?;
    let kept = found.head;
    let mut begun = Draft::empty(shard, Head { epoch: kept.epoch + 1, ..kept }, found.now, FLAG_RECOVERY)?;
    append::execute(&mut tx, begun.statements()).await?;
    let halted = head::lift(&mut tx, shard).await?;
    tx.commit().await?;
    Ok(Recovery { kept, epoch: begun.head.epoch, halted })
}

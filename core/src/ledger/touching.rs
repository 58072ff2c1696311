//! What touches one account: the entries that it has, and the events of a few streams that are about it or its owner.
//!
//! Both are found by indexes of their own and merged by position, so that whoever follows one account does not read what happens
//! to all the others.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::error::LedgerError;
use super::known::Known;
use super::service::{Actor, Ledger};
use super::store::touching;
use super::view;
use crate::event_store::{EntryAfter, Recorded, read};

/// A posting of more accounts than this names nobody to anybody, so nobody is looked up for it.
const FEW: usize = 4;

/// One account, and what else is followed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The account's id,
    pub id: Uuid,
    /// and its number.
    pub number: i64,
    /// Streams whose every event counts. They are short: what is read is filtered by position.
    pub streams: Vec<Uuid>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// What was recorded.
    pub event: Recorded,
    /// What it did to the account, if anything.
    pub entry: Option<EntryAfter>,
}

/// Touches in the order asked for, and who took part in them.
#[derive(Debug)]
pub struct Touched {
    /// What happened.
    pub touches: Vec<Touch>,
    /// The accounts of those with few.
    pub known: Known,
    /// The position to go on from; `None` when that was all.
    pub next: Option<i64>,
}

impl Ledger {
    /// The newest position of a shard.
    pub async fn newest(&self, actor: &Actor) -> Result<i64, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let point = read::point(&mut tx, actor.shard, None).await?;
        tx.commit().await?;
        Ok(point.position)
    }

    /// What touched an account after a position up to another, in order. Positions are committed in order: up to one that was
    /// the newest, nothing appears any more.
    pub async fn touched_after(
        &self,
        actor: &Actor,
        followed: &Followed,
        (after, to): (i64, i64),
        limit: i64,
    ) -> Result<Touched, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let touches = touching::after(&mut tx, actor.shard, followed, (after, to), limit).await?;
        tx.commit().await?;
        self.touched(actor, touches, limit).await
    }

    /// What touched an account before a position, the newest first.
    pub async fn touched_before(
        &self,
        actor: &Actor,
        followed: &Followed,
        before: i64,
        limit: i64,
    ) -> Result<Touched, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let touches = touching::before(&mut tx, actor.shard, followed, before, limit).await?;
        tx.commit().await?;
        self.touched(actor, touches, limit).await
    }

    async fn touched(&self, actor: &Actor, touches: Vec<Touch>, limit: i64) -> Result<Touched, LedgerError> {
        let moved = touches.iter().map(|touch| view::accounts_moved(&touch.event)).filter(|moved| moved.len() <= FEW);
        let accounts: BTreeSet<Uuid> = moved.flatten().map(|(account, _)| account).collect();
        let known = self.known(actor, accounts, BTreeSet::new()).await?;
        let is_full = i64::try_from(touches.len()).is_ok_and(|count| count >= limit);
        let next = touches.last().filter(|_| is_full).map(|last| last.event.position);
        Ok(Touched { touches, known, next })
    }
}

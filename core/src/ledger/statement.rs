//! Balances at instants, and the statement of an account.
//!
//! Two times meet here. *Recorded* time is the log's own and decides what was known when;
//! *effective* time is the value date that a posting carries. A balance at an effective instant
//! exists for `posted` only, because holds have no value date.

use super::error::LedgerError;
use super::service::{Actor, Ledger};
use super::store::balances::{self, Balances};
use super::store::statement::{self, Filter, LineRow, Range};
use crate::event_store::read::{self, Point};
use crate::kernel::{Instant, Minor};
use chrono::Duration;
use sqlx::PgConnection;

/// A balance, and as of when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceAt {
    /// The newest position that it knows of.
    pub point: Point,
    /// The balances; for an effective instant only `posted` has a meaning.
    pub balances: Balances,
}

/// One page of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In recorded order.
    pub lines: Vec<LineRow>,
    /// Up to which entry version the account was looked at; `None` when that was all of it.
    pub next: Option<i64>,
}

/// Which lines a statement shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// Effective at or after.
    pub from: Option<Instant>,
    /// Effective at or before.
    pub to: Option<Instant>,
    /// Also lines that only held, released or announced money.
    pub with_holds: bool,
    /// What else they have in common.
    pub filter: Filter,
    /// Not after this entry version, so that what is recorded meanwhile does not come in between.
    pub last: Option<i64>,
}

/// What a statement as a document says around its lines, all as the log stood at one point: opening balance, plus
/// the lines up to `last`, is the closing balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The newest position that it knows of.
    pub point: Point,
    /// The account's entry version at that position.
    pub last: i64,
    /// What was posted with a value date before the period.
    pub opening: Minor,
    /// What was posted with a value date up to its end.
    pub closing: Minor,
}

impl Ledger {
    /// The balances of an account now, or as they were recorded at an instant.
    pub async fn balance(&self, actor: &Actor, account: i64, at: Option<Instant>) -> Result<BalanceAt, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let point = read::point(&mut tx, actor.shard, at).await?;
        let balances = match at {
            // The newest entry may be newer than the point just read; then the point was old.
            None => balances::newest(&mut tx, actor.shard, account).await?,
            Some(_) => balances::at(&mut tx, actor.shard, account, point.position).await?,
        };
        tx.commit().await?;
        Ok(BalanceAt { point, balances })
    }

    /// What was posted with a value date up to an instant, as the log knows it now or knew it at another.
    pub async fn effective_balance(
        &self,
        actor: &Actor,
        account: i64,
        effective_at: Instant,
        at: Option<Instant>,
    ) -> Result<(Point, Minor), LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let known = read::point(&mut tx, actor.shard, at).await?;
        let posted = effective(&mut tx, actor.shard, account, effective_at, known).await?;
        tx.commit().await?;
        Ok((known, posted))
    }

    /// The balances around a statement of a period, and up to where its lines go.
    pub async fn frame(&self, actor: &Actor, account: i64, from: Instant, to: Instant) -> Result<Frame, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let point = read::point(&mut tx, actor.shard, None).await?;
        let last = balances::at(&mut tx, actor.shard, account, point.position).await?.version;
        let before = from - Duration::microseconds(1);
        let opening = effective(&mut tx, actor.shard, account, before, point).await?;
        let closing = effective(&mut tx, actor.shard, account, to, point).await?;
        tx.commit().await?;
        Ok(Frame { point, last, opening, closing })
    }

    /// Lines of an account's statement after an entry version.
    pub async fn statement(
        &self,
        actor: &Actor,
        account: i64,
        period: Period,
        after: i64,
        limit: i64,
    ) -> Result<Page, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let newest = match period.last {
            Some(last) => last,
            None => balances::newest(&mut tx, actor.shard, account).await?.version,
        };
        let mut range =
            Range { with_holds: period.with_holds, filter: period.filter, last: newest, ..Range::default() };
        if let Some(from) = period.from {
            // Entries without a value date of their own are effective when they were recorded.
            let before = read::point(&mut tx, actor.shard, Some(from - Duration::microseconds(1))).await?;
            range.from = Some((from, before.position));
        }
        if let Some(to) = period.to {
            range.to = Some((to, read::point(&mut tx, actor.shard, Some(to)).await?.position));
        }
        let (lines, looked_at) = statement::lines(&mut tx, actor.shard, account, after, range, limit).await?;
        tx.commit().await?;
        Ok(Page { lines, next: (looked_at < newest).then_some(looked_at) })
    }
}

/// What was posted with a value date up to an instant, as the log stood at a point.
async fn effective(
    tx: &mut PgConnection,
    shard: i16,
    account: i64,
    effective_at: Instant,
    known: Point,
) -> Result<Minor, sqlx::Error> {
    let both = read::point(tx, shard, Some(effective_at)).await?.position.min(known.position);
    let recorded = balances::at(tx, shard, account, both).await?.posted;
    let correction = balances::effective_correction(tx, shard, account, effective_at, both, known.position).await?;
    Ok(recorded.plus(correction))
}

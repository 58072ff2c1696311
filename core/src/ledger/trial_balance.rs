//! The trial balance: every account's balance at one position, and their sums per asset.
//!
//! Both are read page by page in short transactions at a fixed position, so that no snapshot
//! grows old however many accounts there are; positions make that as consistent as one snapshot.

use super::error::LedgerError;
use super::known::Side;
use super::service::{Actor, Ledger};
use super::store::accounts::ListedBalance;
use super::store::{facts, totals};
use crate::event_store::read::{self, Point};
use crate::kernel::{Instant, Minor};
use std::collections::BTreeMap;

/// Debit and credit balances of an asset; equal in every ledger that balances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// The asset's scale.
    pub scale: u8,
    /// Sum of the balances that stand on the debit side.
    pub debit: Minor,
    /// Sum of the balances that stand on the credit side.
    pub credit: Minor,
}

/// How many accounts one transaction sums.
const PAGE: i64 = 20_000;

impl Ledger {
    /// The newest point of the actor's shard, or the newest at an instant.
    pub async fn point(&self, actor: &Actor, at: Option<Instant>) -> Result<Point, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let point = read::point(&mut tx, actor.shard, at).await?;
        tx.commit().await?;
        Ok(point)
    }

    /// The point that an earlier page stood at.
    pub async fn point_at(&self, actor: &Actor, position: i64) -> Result<Point, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let recorded_at = facts::recorded_at(&mut tx, actor.shard, position).await?;
        tx.commit().await?;
        Ok(Point { position, recorded_at })
    }

    /// Balances of the accounts after a number at a position. `is_newest` says that the position is of just now.
    pub async fn balances_at(
        &self,
        actor: &Actor,
        position: i64,
        is_newest: bool,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ListedBalance>, LedgerError> {
        let mut tx = read::tenant_tx(&self.reader, actor.origin.tenant).await?;
        let page =
            totals::balances(&mut tx, actor.shard, actor.origin.tenant, position, is_newest, after, limit).await?;
        tx.commit().await?;
        Ok(page)
    }

    /// Debit and credit balances per asset at a position.
    pub async fn totals_at(
        &self,
        actor: &Actor,
        position: i64,
        is_newest: bool,
    ) -> Result<BTreeMap<String, Total>, LedgerError> {
        let mut totals: BTreeMap<String, Total> = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = self.balances_at(actor, position, is_newest, after, PAGE).await?;
            for account in &page {
                add(&mut totals, account);
            }
            match page.last() {
                Some(last) => after = last.number,
                None => return Ok(totals),
            }
        }
    }
}

/// A balance below zero stands on the side opposite to the account's normal one.
fn add(totals: &mut BTreeMap<String, Total>, account: &ListedBalance) {
    let total = totals.entry(account.asset.clone()).or_insert(Total { scale: account.scale, ..Total::default() });
    let is_debit = (account.normal_side == Side::Debit) != account.posted.is_negative();
    let amount = Minor::new(account.posted.units().abs());
    if is_debit {
        total.debit = total.debit.plus(amount);
    } else {
        total.credit = total.credit.plus(amount);
    }
}

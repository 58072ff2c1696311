//! The accounts with the largest balances of an asset.

use super::views::{Scope, Seen, ViewError, Views};
use super::{Fact, Fold, Projection, Unreadable};
use crate::event_store::shadow::{KeyType, Table};
use crate::kernel::Minor;
use crate::ledger::known::Identity;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct TopAccounts;

impl Projection for TopAccounts {
    fn name(&self) -> &'static str {
        "top-accounts"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "standing", paged_by: &[("account", KeyType::Uuid)], named_by: &[] }]
    }

    fn begin(&self) -> Box<dyn Fold> {
        Box::new(Changes::default())
    }
}

/// By account: the tenant, who it is, and the change of its balance.
#[derive(Default)]
struct Changes(HashMap<Uuid, (Uuid, Arc<Identity>, i64)>);

impl Fold for Changes {
    fn take(&mut self, fact: &Fact) -> Result<(), Unreadable> {
        for moved in fact.moves.iter().filter(|moved| moved.posted != 0) {
            let change = self.0.entry(moved.account.id).or_insert_with(|| (fact.tenant, moved.account.clone(), 0));
            // Every balance on the way is within 10^18 minor units, so their difference fits.
            change.2 += moved.posted;
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.0.len()
    }

    fn write(self: Box<Self>, tx: &mut PgConnection, shard: i16) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        write(tx, shard, self.0.into_values().collect()).boxed()
    }
}

async fn write(
    tx: &mut PgConnection,
    shard: i16,
    mut changes: Vec<(Uuid, Arc<Identity>, i64)>,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    // In the order of the primary key, neighbours share pages.
    changes.sort_unstable_by_key(|(_, account, _)| account.id);
    sqlx::query!(
        "INSERT INTO standing AS s (shard, scale, posted, account, tenant, asset)
         SELECT $1, scale, posted, account, tenant, asset
         FROM unnest($2::smallint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[]) AS row (scale, posted, account, tenant, asset)
         ON CONFLICT (shard, account) DO UPDATE SET posted = s.posted + excluded.posted",
        shard,
        &changes.iter().map(|change| i16::from(change.1.scale)).collect::<Vec<_>>() as _,
        &changes.iter().map(|change| change.2).collect::<Vec<_>>() as _,
        &changes.iter().map(|change| change.1.id).collect::<Vec<_>>() as _,
        &changes.iter().map(|change| change.0).collect::<Vec<_>>() as _,
        &changes.iter().map(|change| change.1.asset.as_str()).collect::<Vec<_>>() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// An account and its balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The account.
    pub account: Uuid,
    /// The asset's scale.
    pub scale: i16,
    /// What is posted, in the direction of the account's normal side.
    pub posted: Minor,
}

impl Views {
    /// The largest balances of an asset, after such a pair of balance and account.
    pub async fn top_accounts(
        &self,
        scope: Scope,
        asset: &str,
        after: Option<(i64, Uuid)>,
        limit: i64,
    ) -> Result<Seen<Vec<Row>>, ViewError> {
        let (mut tx, as_of) = self.open(&TopAccounts, scope).await?;
        let rows = read(&mut tx, scope.shard, scope.tenant, asset, after, limit).await?;
        tx.commit().await?;
        Ok(Seen { rows, as_of })
    }
}

async fn read(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    asset: &str,
    after: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let (posted, account) = after.unwrap_or((i64::MAX, Uuid::max()));
    let rows = sqlx::query!(
        "SELECT account, scale, posted FROM standing
         WHERE shard = $1 AND tenant = $2 AND asset = $3 AND (posted, account) < ($4, $5)
         ORDER BY posted DESC, account DESC LIMIT $6",
        shard,
        tenant,
        asset,
        posted,
        account,
        limit
    )
    .fetch_all(tx)
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        account: row.account,
        scale: row.scale,
        posted: Minor::from_bigint(row.posted),
    });
    Ok(rows.collect())
}

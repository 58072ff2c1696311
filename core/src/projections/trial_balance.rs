//! Every account's opening balance, debits, credits and closing balance over any days.
//!
//! Kept are the sums of each day. A posting that comes late belongs to the day of its value date, so the
//! balances of days are never stored: they are sums over the days up to them.

use super::views::{self, Scope, Seen, ViewError, Views};
use super::{Fact, Fold, Projection, Unreadable};
use crate::event_store::shadow::{KeyType, Table};
use crate::kernel::Minor;
use crate::ledger::known::Identity;
use chrono::NaiveDate;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct TrialBalance;

impl Projection for TrialBalance {
    fn name(&self) -> &'static str {
        "trial-balance"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "turnover",
            paged_by: &[("tenant", KeyType::Uuid), ("account", KeyType::Uuid)],
            named_by: &["day"],
        }]
    }

    fn begin(&self) -> Box<dyn Fold> {
        Box::new(Turnovers::default())
    }
}

/// By account and day.
#[derive(Default)]
struct Turnovers(HashMap<(Uuid, NaiveDate), Turnover>);

struct Turnover {
    tenant: Uuid,
    account: Arc<Identity>,
    day: NaiveDate,
    debit: i128,
    credit: i128,
}

impl Fold for Turnovers {
    fn take(&mut self, fact: &Fact) -> Result<(), Unreadable> {
        for moved in fact.moves.iter().filter(|moved| moved.posted != 0) {
            let turnover = self.0.entry((moved.account.id, fact.day)).or_insert_with(|| Turnover {
                tenant: fact.tenant,
                account: moved.account.clone(),
                day: fact.day,
                debit: 0,
                credit: 0,
            });
            let debited = i128::from(moved.debited());
            turnover.debit += debited.max(0);
            turnover.credit += (-debited).max(0);
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

async fn write(tx: &mut PgConnection, shard: i16, mut days: Vec<Turnover>) -> Result<(), sqlx::Error> {
    if days.is_empty() {
        return Ok(());
    }
    // In the order of the primary key, neighbours share pages.
    days.sort_unstable_by_key(|day| (day.tenant, day.account.id, day.day));
    sqlx::query!(
        "INSERT INTO turnover AS t (shard, scale, day, account, tenant, asset, debit, credit)
         SELECT $1, scale, day, account, tenant, asset, debit::numeric, credit::numeric
         FROM unnest($2::smallint[], $3::date[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[])
              AS row (scale, day, account, tenant, asset, debit, credit)
         ON CONFLICT (shard, tenant, account, day) DO UPDATE SET debit = t.debit + excluded.debit, credit = t.credit + excluded.credit",
        shard,
        &days.iter().map(|day| i16::from(day.account.scale)).collect::<Vec<_>>() as _,
        &days.iter().map(|day| day.day).collect::<Vec<_>>() as _,
        &days.iter().map(|day| day.account.id).collect::<Vec<_>>() as _,
        &days.iter().map(|day| day.tenant).collect::<Vec<_>>() as _,
        &days.iter().map(|day| day.account.asset.as_str()).collect::<Vec<_>>() as _,
        &days.iter().map(|day| day.debit.to_string()).collect::<Vec<_>>() as _,
        &days.iter().map(|day| day.credit.to_string()).collect::<Vec<_>>() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// An account's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The account.
    pub account: Uuid,
    /// The asset's scale.
    pub scale: i16,
    /// Debits less credits before the first day.
    pub opening: Minor,
    /// Debits from the first day to the last.
    pub debit: Minor,
    /// Credits from the first day to the last.
    pub credit: Minor,
}

impl Views {
    /// The accounts of an asset that were moved up to the last day, in the order of their ids, after an id.
    pub async fn trial_balance(
        &self,
        scope: Scope,
        asset: &str,
        days: (NaiveDate, NaiveDate),
        after: Uuid,
        limit: i64,
    ) -> Result<Seen<Vec<Row>>, ViewError> {
        let (mut tx, as_of) = self.open(&TrialBalance, scope).await?;
        let rows = read(&mut tx, scope.shard, scope.tenant, asset, days, after, limit).await?;
        tx.commit().await?;
        Ok(Seen { rows, as_of })
    }
}

async fn read(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    asset: &str,
    (first, last): (NaiveDate, NaiveDate),
    after: Uuid,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT account, scale,
                  coalesce(sum(debit - credit) FILTER (WHERE day < $4), 0)::text AS "opening!",
                  coalesce(sum(debit) FILTER (WHERE day >= $4), 0)::text AS "debit!",
                  coalesce(sum(credit) FILTER (WHERE day >= $4), 0)::text AS "credit!"
           FROM turnover WHERE shard = $1 AND tenant = $2 AND asset = $3 AND account > $6 AND day <= $5
           GROUP BY account, scale ORDER BY account LIMIT $7"#,
        shard,
        tenant,
        asset,
        first,
        last,
        after,
        limit
    )
    .fetch_all(tx)
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        account: row.account,
        scale: row.scale,
        opening: views::minor(&row.opening),
        debit: views::minor(&row.debit),
        credit: views::minor(&row.credit),
    });
    Ok(rows.collect())
}

//! How much was moved per day, asset and kind, and how often.
//!
//! A transaction's volume is the sum of its debits; a hold's is what it sets aside or gives back.

use super::views::{self, Scope, Seen, ViewError, Views};
use super::{Fact, Fold, Projection, Unreadable};
use crate::event_store::shadow::{KeyType, Table};
use crate::kernel::Minor;
use chrono::NaiveDate;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Volume;

impl Projection for Volume {
    fn name(&self) -> &'static str {
        "volume"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "volume",
            paged_by: &[("tenant", KeyType::Uuid), ("day", KeyType::Date)],
            named_by: &["asset", "kind"],
        }]
    }

    fn begin(&self) -> Box<dyn Fold> {
        Box::new(Sums::default())
    }
}

/// Tenant, day, asset, kind.
type Key = (Uuid, NaiveDate, String, &'static str);

#[derive(Default)]
struct Sums(BTreeMap<Key, Sum>);

#[derive(Default)]
struct Sum {
    scale: u8,
    count: i64,
    amount: i128,
}

/// What an event did in one asset.
#[derive(Default)]
struct InAsset<'a> {
    asset: &'a str,
    scale: u8,
    debited: i128,
    held: i128,
    incoming: i128,
}

impl Fold for Sums {
    fn take(&mut self, fact: &Fact) -> Result<(), Unreadable> {
        let mut assets: Vec<InAsset<'_>> = Vec::new();
        for moved in &fact.moves {
            let account = &moved.account;
            let index = assets.iter().position(|known| known.asset == account.asset).unwrap_or_else(|| {
                assets.push(InAsset { asset: &account.asset, scale: account.scale, ..InAsset::default() });
                assets.len() - 1
            });
            let sums = &mut assets[index];
            sums.debited += i128::from(moved.debited().max(0));
            sums.held += i128::from(moved.held).abs();
            sums.incoming += i128::from(moved.incoming).abs();
        }
        for InAsset { asset, scale, debited, held, incoming } in assets {
            let sum = self.0.entry((fact.tenant, fact.day, asset.to_owned(), fact.word())).or_default();
            sum.scale = scale;
            sum.count += 1;
            sum.amount += if debited > 0 { debited } else { held.max(incoming) };
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.0.len()
    }

    fn write(self: Box<Self>, tx: &mut PgConnection, shard: i16) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        write(tx, shard, self.0).boxed()
    }
}

async fn write(tx: &mut PgConnection, shard: i16, sums: BTreeMap<Key, Sum>) -> Result<(), sqlx::Error> {
    if sums.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO volume AS v (shard, scale, day, count, tenant, asset, kind, amount)
         SELECT $1, scale, day, count, tenant, asset, kind, amount::numeric
         FROM unnest($2::smallint[], $3::date[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::text[])
              AS row (scale, day, count, tenant, asset, kind, amount)
         ON CONFLICT (shard, tenant, day, asset, kind) DO UPDATE SET count = v.count + excluded.count, amount = v.amount + excluded.amount",
        shard,
        &sums.values().map(|sum| i16::from(sum.scale)).collect::<Vec<_>>() as _,
        &sums.keys().map(|key| key.1).collect::<Vec<_>>() as _,
        &sums.values().map(|sum| sum.count).collect::<Vec<_>>() as _,
        &sums.keys().map(|key| key.0).collect::<Vec<_>>() as _,
        &sums.keys().map(|key| key.2.as_str()).collect::<Vec<_>>() as _,
        &sums.keys().map(|key| key.3).collect::<Vec<_>>() as _,
        &sums.values().map(|sum| sum.amount.to_string()).collect::<Vec<_>>() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One row of the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The day of the value dates.
    pub day: NaiveDate,
    /// The asset's code.
    pub asset: String,
    /// The asset's scale.
    pub scale: i16,
    /// How statements call it.
    pub kind: String,
    /// How many events.
    pub count: i64,
    /// How much they moved.
    pub amount: Minor,
}

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
    /// Only this asset.
    pub asset: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
}

impl Views {
    /// Rows by day, asset and kind, after such a triple.
    pub async fn volume(
        &self,
        scope: Scope,
        filter: &Filter,
        after: Option<&(NaiveDate, String, String)>,
        limit: i64,
    ) -> Result<Seen<Vec<Row>>, ViewError> {
        let (mut tx, as_of) = self.open(&Volume, scope).await?;
        let rows = read(&mut tx, scope.shard, scope.tenant, filter, after, limit).await?;
        tx.commit().await?;
        Ok(Seen { rows, as_of })
    }
}

async fn read(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    filter: &Filter,
    after: Option<&(NaiveDate, String, String)>,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let first = after.map(|after| after.0).max(filter.from);
    let rows = sqlx::query!(
        r#"SELECT day, asset, scale, kind, count, amount::text AS "amount!" FROM volume
           WHERE shard = $1 AND tenant = $2 AND day >= coalesce($3, '-infinity'::date) AND day <= coalesce($4, 'infinity'::date)
             AND ($5::text IS NULL OR asset = $5) AND ($6::text IS NULL OR kind = $6)
             AND ($7::date IS NULL OR (day, asset, kind) > ($7, $8, $9))
           ORDER BY day, asset, kind LIMIT $10"#,
        shard,
        tenant,
        first,
        filter.to,
        filter.asset.as_deref(),
        filter.kind.as_deref(),
        after.map(|after| after.0),
        after.map(|after| after.1.as_str()),
        after.map(|after| after.2.as_str()),
        limit
    )
    .fetch_all(tx)
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        day: row.day,
        asset: row.asset,
        scale: row.scale,
        kind: row.kind,
        count: row.count,
        amount: views::minor(&row.amount),
    });
    Ok(rows.collect())
}

//! What holds keep back, by how long they have done so.

use super::views::{self, Scope, Seen, ViewError, Views};
use super::{Fact, Fold, Projection, Unreadable};
use crate::event_store::shadow::{KeyType, Table};
use crate::kernel::{Instant, Minor};
use crate::ledger::known::Identity;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct HoldAgeing;

impl Projection for HoldAgeing {
    fn name(&self) -> &'static str {
        "hold-ageing"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "held", paged_by: &[("hold", KeyType::Uuid), ("account", KeyType::Uuid)], named_by: &[] }]
    }

    fn begin(&self) -> Box<dyn Fold> {
        Box::new(Changes::default())
    }
}

/// By hold and account.
#[derive(Default)]
struct Changes(BTreeMap<(Uuid, Uuid), Change>);

struct Change {
    tenant: Uuid,
    account: Arc<Identity>,
    /// Of the first event that held; kept only if that event made the row.
    placed_at: Instant,
    amount: i64,
}

impl Fold for Changes {
    fn take(&mut self, fact: &Fact) -> Result<(), Unreadable> {
        for moved in fact.moves.iter().filter(|moved| moved.held != 0) {
            let change = self.0.entry((fact.hold(), moved.account.id)).or_insert_with(|| Change {
                tenant: fact.tenant,
                account: moved.account.clone(),
                placed_at: fact.recorded_at,
                amount: 0,
            });
            // Holds are within 10^18 minor units, and so is what comes and goes in a page.
            change.amount += moved.held;
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

async fn write(
    tx: &mut PgConnection,
    shard: i16,
    mut changes: BTreeMap<(Uuid, Uuid), Change>,
) -> Result<(), sqlx::Error> {
    // Placed and ended in the same page: nobody ever saw it.
    changes.retain(|_, change| change.amount != 0);
    if changes.is_empty() {
        return Ok(());
    }
    let holds: Vec<Uuid> = changes.keys().map(|key| key.0).collect();
    sqlx::query!(
        "INSERT INTO held AS h (shard, scale, amount, hold, account, tenant, placed_at, asset)
         SELECT $1, scale, amount, hold, account, tenant, placed_at, asset
         FROM unnest($2::smallint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::text[])
              AS row (scale, amount, hold, account, tenant, placed_at, asset)
         ON CONFLICT (shard, hold, account) DO UPDATE SET amount = h.amount + excluded.amount",
        shard,
        &changes.values().map(|change| i16::from(change.account.scale)).collect::<Vec<_>>() as _,
        &changes.values().map(|change| change.amount).collect::<Vec<_>>() as _,
        &holds,
        &changes.keys().map(|key| key.1).collect::<Vec<_>>() as _,
        &changes.values().map(|change| change.tenant).collect::<Vec<_>>() as _,
        &changes.values().map(|change| change.placed_at).collect::<Vec<_>>() as _,
        &changes.values().map(|change| change.account.asset.as_str()).collect::<Vec<_>>() as _
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM held WHERE shard = $1 AND hold = ANY ($2) AND amount = 0", shard, &holds)
        .execute(tx)
        .await?;
    Ok(())
}

/// Where one age ends and the next begins, in days.
pub const AGES: [i32; 4] = [1, 3, 7, 30];

/// The open holds of one age in one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The asset's code.
    pub asset: String,
    /// The asset's scale.
    pub scale: i16,
    /// How many of [`AGES`] they have passed.
    pub age: i32,
    /// How many holds.
    pub holds: i64,
    /// What they keep back.
    pub amount: Minor,
}

impl Views {
    /// The open holds by asset and age, the youngest first.
    pub async fn holds(&self, scope: Scope, asset: Option<&str>) -> Result<Seen<Vec<Row>>, ViewError> {
        let (mut tx, as_of) = self.open(&HoldAgeing, scope).await?;
        let rows = read(&mut tx, scope.shard, scope.tenant, asset).await?;
        tx.commit().await?;
        Ok(Seen { rows, as_of })
    }
}

async fn read(tx: &mut PgConnection, shard: i16, tenant: Uuid, asset: Option<&str>) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT asset, scale, age AS "age!", count(DISTINCT hold) AS "holds!", sum(amount)::text AS "amount!"
           FROM (
               SELECT asset, scale, hold, amount,
                      (SELECT count(*) FROM unnest($4::int[]) AS passed (days) WHERE held.placed_at <= now() - make_interval(days => passed.days))::int AS age
               FROM held WHERE shard = $1 AND tenant = $2 AND ($3::text IS NULL OR asset = $3)
           ) aged
           GROUP BY asset, scale, age ORDER BY asset, age"#,
        shard,
        tenant,
        asset,
        &AGES
    )
    .fetch_all(tx)
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        asset: row.asset,
        scale: row.scale,
        age: row.age,
        holds: row.holds,
        amount: views::minor(&row.amount),
    });
    Ok(rows.collect())
}

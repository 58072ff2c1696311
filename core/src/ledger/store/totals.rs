//! Sums over all accounts of a tenant at a fixed position, page by page.

use super::accounts::ListedBalance;
use super::identities::{scale, side};
use crate::kernel::Minor;
use sqlx::PgConnection;
use uuid::Uuid;

/// The balances of accounts after a number, as they stood at a position.
///
/// `is_newest` says that few entries are newer than the position: then it is cheaper to walk back
/// from the newest entry than to bisect.
pub async fn balances(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    position: i64,
    is_newest: bool,
    after: i64,
    limit: i64,
) -> Result<Vec<ListedBalance>, sqlx::Error> {
    if is_newest {
        newest(tx, shard, tenant, position, after, limit).await
    } else {
        earlier(tx, shard, tenant, position, after, limit).await
    }
}

async fn newest(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    position: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<ListedBalance>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT a.id, a.account, a.name, a.asset, a.scale, a.normal_side, coalesce(n.posted, 0) AS "posted!"
           FROM account a
           LEFT JOIN LATERAL (
               SELECT posted FROM entry WHERE entry.shard = $1 AND entry.account = a.account AND entry.position <= $3 ORDER BY version DESC LIMIT 1
           ) n ON true
           WHERE a.shard = $1 AND a.tenant = $2 AND a.account > $4 AND a.account <= $3
           ORDER BY a.account LIMIT $5"#,
        shard,
        tenant,
        position,
        after,
        limit
    )
    .fetch_all(tx)
    .await?;
    let listed = rows.into_iter().map(|row| ListedBalance {
        id: row.id,
        number: row.account,
        name: row.name,
        asset: row.asset,
        scale: scale(row.scale),
        normal_side: side(&row.normal_side),
        posted: Minor::from_bigint(row.posted),
    });
    Ok(listed.collect())
}

/// The page is cut first and `OFFSET 0` keeps the version a value of its own, so that neither is tried on every account or entry.
async fn earlier(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    position: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<ListedBalance>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT a.id, a.account, a.name, a.asset, a.scale, a.normal_side, coalesce(n.posted, 0) AS "posted!"
           FROM (
               SELECT id, account, name, asset, scale, normal_side FROM account
               WHERE shard = $1 AND tenant = $2 AND account > $4 AND account <= $3 ORDER BY account LIMIT $5
           ) a
           CROSS JOIN LATERAL (SELECT version_at($1, a.account, $3) AS version OFFSET 0) v
           LEFT JOIN entry n ON n.shard = $1 AND n.account = a.account AND n.version = v.version
           ORDER BY a.account"#,
        shard,
        tenant,
        position,
        after,
        limit
    )
    .fetch_all(tx)
    .await?;
    let listed = rows.into_iter().map(|row| ListedBalance {
        id: row.id,
        number: row.account,
        name: row.name,
        asset: row.asset,
        scale: scale(row.scale),
        normal_side: side(&row.normal_side),
        posted: Minor::from_bigint(row.posted),
    });
    Ok(listed.collect())
}

//! What never changes, read for the directory.

use super::super::known::{Identity, Side};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Identities of accounts; one that does not exist (or is another tenant's) is absent.
pub async fn accounts(
    tx: &mut PgConnection,
    shard: i16,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Arc<Identity>>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, account, name, asset, scale, normal_side FROM account WHERE shard = $1 AND id = ANY ($2)",
        shard,
        ids
    )
    .fetch_all(tx)
    .await?;
    let identities = rows.into_iter().map(|row| {
        let identity = Identity {
            id: row.id,
            number: row.account,
            name: row.name,
            asset: row.asset,
            scale: scale(row.scale),
            normal_side: side(&row.normal_side),
        };
        (row.id, Arc::new(identity))
    });
    Ok(identities.collect())
}

/// Scales of assets; one that is not registered is absent.
pub async fn scales(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    codes: &[String],
) -> Result<HashMap<String, u8>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT code, scale FROM asset WHERE shard = $1 AND tenant = $2 AND code = ANY ($3)",
        shard,
        tenant,
        codes
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.code, scale(row.scale))).collect())
}

/// The table's CHECK admits 0 to 8.
pub(super) fn scale(stored: i16) -> u8 {
    u8::try_from(stored).unwrap_or(0)
}

/// The table's CHECK admits only these two.
pub(super) fn side(text: &str) -> Side {
    if text == "debit" { Side::Debit } else { Side::Credit }
}

//! Open holds, from their look-up table.

use sqlx::PgConnection;
use uuid::Uuid;

/// Holds that still hold or announce money of an account, in the order of their expiry; after a pair of expiry and id.
pub async fn open_of_account(
    tx: &mut PgConnection,
    shard: i16,
    account: i64,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT hold FROM open_hold WHERE shard = $1 AND account = $2 AND ($3::uuid IS NULL OR hold > $3) ORDER BY hold LIMIT $4",
        shard,
        account,
        after,
        limit
    )
    .fetch_all(tx)
    .await
}

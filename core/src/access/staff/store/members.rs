//! Which members there are.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Of;

/// Notes that there is such a member, perhaps once more.
pub async fn insert(tx: &mut PgConnection, of: Of, member: Uuid, login: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO staff_member (shard, tenant, member, login) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        of.shard,
        of.tenant,
        member,
        login
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The members of a tenant, by login.
pub async fn list(tx: &mut PgConnection, of: Of) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT member FROM staff_member WHERE shard = $1 AND tenant = $2 ORDER BY login",
        of.shard,
        of.tenant
    )
    .fetch_all(tx)
    .await
}

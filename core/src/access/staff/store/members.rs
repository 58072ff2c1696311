//! Which members there are, and whose tenant a name is.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::Of;

/// The tenant of a name. It is asked for by whoever knocks, before anybody is known.
pub async fn tenant_named(pool: &PgPool, name: &str) -> Result<Option<Of>, sqlx::Error> {
    let row = sqlx::query!(r#"SELECT tenant AS "tenant!", shard AS "shard!" FROM tenant_at_sign_in($1)"#, name);
    Ok(row.fetch_optional(pool).await?.map(|row| Of { shard: row.shard, tenant: row.tenant }))
}

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

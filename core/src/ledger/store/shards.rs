//! Which shards can be written. No tenant's data.

use sqlx::PgPool;

/// The shards whose brake is on. Answering at all says that the database is there.
pub async fn halted(pool: &PgPool) -> Result<Vec<i16>, sqlx::Error> {
    sqlx::query_scalar!("SELECT shard FROM halt ORDER BY shard").fetch_all(pool).await
}

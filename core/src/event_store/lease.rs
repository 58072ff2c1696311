//! Lease rows: which of several processes drives a clock. Postgres's time decides, nobody else's.

use sqlx::PgPool;
use uuid::Uuid;

/// Takes or renews a lease for some seconds. Answers the fence, which rises with every change of
/// holder, or `None` while another process holds it.
pub async fn take(pool: &PgPool, name: &str, holder: Uuid, seconds: i32) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO clock_lease AS l (name, holder, fence, expires_at) VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
         ON CONFLICT (name) DO UPDATE SET
             holder = excluded.holder,
             fence = CASE WHEN l.holder = excluded.holder THEN l.fence ELSE l.fence + 1 END,
             expires_at = excluded.expires_at
         WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
         RETURNING fence",
        name,
        holder,
        f64::from(seconds)
    )
    .fetch_optional(pool)
    .await
}

/// Gives every lease of a holder up at once, so that its successors need not wait for their end.
pub async fn release(pool: &PgPool, holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE clock_lease SET expires_at = clock_timestamp() WHERE holder = $1", holder)
        .execute(pool)
        .await?;
    Ok(())
}

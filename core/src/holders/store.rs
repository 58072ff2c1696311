//! The SQL of holders: whose a digest is. Everything else is in the log.

use crate::event_store::personal::Digest;
use sqlx::PgConnection;
use uuid::Uuid;

/// The holder that one of these digests belongs to, whichever version finds it.
pub(super) async fn owner(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    kind: &str,
    digests: &[Digest],
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT k.owner FROM unnest($4::smallint[], $5::bytea[]) AS wanted (version, digest)
         JOIN personal_key k ON k.shard = $1 AND k.tenant = $2 AND k.kind = $3 AND k.version = wanted.version AND k.digest = wanted.digest
         LIMIT 1",
        shard,
        tenant,
        kind,
        &digests.iter().map(|(version, _)| *version).collect::<Vec<_>>() as _,
        &digests.iter().map(|(_, digest)| &digest[..]).collect::<Vec<_>>() as _
    )
    .fetch_optional(tx)
    .await
}

/// The same, found by the same steps and of as many columns for a digest that is nobody's: then the row beside it was read.
pub(super) async fn owner_alike(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    kind: &str,
    digests: &[Digest],
) -> Result<Option<Uuid>, sqlx::Error> {
    // The one of the digest or before it; before the first one stands the last one.
    let rows = sqlx::query!(
        r#"SELECT k.owner AS "owner!", k.digest = wanted.digest AS "is_theirs!"
           FROM unnest($4::smallint[], $5::bytea[]) AS wanted (version, digest)
           CROSS JOIN LATERAL (
               (SELECT p.owner, p.digest FROM personal_key p
                WHERE p.shard = $1 AND p.tenant = $2 AND p.kind = $3 AND p.version = wanted.version AND p.digest <= wanted.digest
                ORDER BY p.digest DESC LIMIT 1)
               UNION ALL
               (SELECT p.owner, p.digest FROM personal_key p
                WHERE p.shard = $1 AND p.tenant = $2 AND p.kind = $3 AND p.version = wanted.version
                ORDER BY p.digest DESC LIMIT 1)
               LIMIT 1) k"#,
        shard,
        tenant,
        kind,
        &digests.iter().map(|(version, _)| *version).collect::<Vec<_>>() as _,
        &digests.iter().map(|(_, digest)| &digest[..]).collect::<Vec<_>>() as _
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().find(|row| row.is_theirs).map(|row| row.owner))
}

//! Personal keys under another version of the key that makes their digests.
//!
//! These are the only rows of the write side that change without an event: what they say does not change, only how it is
//! written. A new row says of its owner what the old one says, and is written under the shard's lock and only while the
//! old one is there; so whoever is erased meanwhile stays without any, and a draft that was made ahead stays true.

use super::head;
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// A personal key as it stands: whose, of which kind, and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose people these are.
    pub tenant: Uuid,
    /// Keys of different kinds do not meet.
    pub kind: String,
    /// Under the version that was asked for.
    pub digest: Vec<u8>,
    /// Whose key it is.
    pub owner: Uuid,
}

/// One of these, and its digest under the newer version.
pub type Renewed = (Held, [u8; 32]);

/// A version that has rows although its key is none of these.
pub async fn left_over(session: &mut PgConnection, known: &[i16]) -> Result<Option<i16>, sqlx::Error> {
    sqlx::query_scalar!("SELECT version FROM personal_key WHERE version <> ALL ($1) LIMIT 1", known)
        .fetch_optional(session)
        .await
}

/// How many rows of a version there are.
pub async fn count(session: &mut PgConnection, version: i16) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM personal_key WHERE version = $1"#, version)
        .fetch_one(session)
        .await
}

/// Rows of a version after one of them, in the order of the primary key.
pub async fn page(
    session: &mut PgConnection,
    shard: i16,
    version: i16,
    after: Option<&Held>,
    limit: i64,
) -> Result<Vec<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        "SELECT tenant, kind, digest, owner FROM personal_key
         WHERE shard = $1 AND version = $2 AND (tenant, kind, version, digest) > ($3, $4, $2, $5)
         ORDER BY tenant, kind, version, digest LIMIT $6",
        shard,
        version,
        after.map_or(Uuid::nil(), |held| held.tenant),
        after.map_or("", |held| &held.kind),
        after.map_or(&[][..], |held| &held.digest),
        limit
    )
    .fetch_all(session)
    .await
}

/// Which of these owners have fewer rows of the new version than of the old one, and of which kind.
pub async fn incomplete(
    session: &mut PgConnection,
    shard: i16,
    (old, new): (i16, i16),
    owners: &[Uuid],
) -> Result<HashSet<(Uuid, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT owner, kind FROM personal_key WHERE shard = $1 AND owner = ANY ($2) GROUP BY owner, kind
         HAVING count(*) FILTER (WHERE version = $4) < count(*) FILTER (WHERE version = $3)",
        shard,
        owners,
        old,
        new
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| (row.owner, row.kind)).collect())
}

/// Adds rows of the new version beside those of the old one that are still there. A shard that is halted is left alone.
pub async fn add(
    session: &mut PgConnection,
    shard: i16,
    (old, new): (i16, i16),
    renewed: &[Renewed],
) -> Result<(), sqlx::Error> {
    let mut tx = head::begin(session, shard).await?;
    sqlx::query!(
        "INSERT INTO personal_key (shard, version, position, tenant, owner, kind, digest)
         SELECT $1, $3, k.position, k.tenant, k.owner, k.kind, row.renewed
         FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::bytea[]) AS row (tenant, owner, kind, digest, renewed)
         JOIN personal_key k ON k.shard = $1 AND k.tenant = row.tenant AND k.kind = row.kind AND k.version = $2
              AND k.digest = row.digest AND k.owner = row.owner
         WHERE NOT EXISTS (SELECT FROM halt WHERE halt.shard = $1)
         ON CONFLICT DO NOTHING",
        shard,
        old,
        new,
        &renewed.iter().map(|(held, _)| held.tenant).collect::<Vec<_>>() as _,
        &renewed.iter().map(|(held, _)| held.owner).collect::<Vec<_>>() as _,
        &renewed.iter().map(|(held, _)| &*held.kind).collect::<Vec<_>>() as _,
        &renewed.iter().map(|(held, _)| &*held.digest).collect::<Vec<_>>() as _,
        &renewed.iter().map(|(_, digest)| &digest[..]).collect::<Vec<_>>() as _
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Deletes rows of a version.
pub async fn delete(session: &mut PgConnection, shard: i16, version: i16, rows: &[Held]) -> Result<(), sqlx::Error> {
    let mut tx = head::begin(session, shard).await?;
    sqlx::query!(
        "DELETE FROM personal_key k USING unnest($3::uuid[], $4::text[], $5::bytea[]) AS row (tenant, kind, digest)
         WHERE k.shard = $1 AND k.tenant = row.tenant AND k.kind = row.kind AND k.version = $2 AND k.digest = row.digest",
        shard,
        version,
        &rows.iter().map(|row| row.tenant).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| &*row.kind).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| &*row.digest).collect::<Vec<_>>() as _
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

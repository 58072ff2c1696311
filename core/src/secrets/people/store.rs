//! The SQL of wrapped keys, in their own database.
//!
//! At compile time there is only the ledger's database, which has no such table.

#![expect(
    clippy::disallowed_methods,
    reason = "the table stands in another database than the one that is compiled against"
)]

use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::transit::Wrapped;

/// A transaction that sees one tenant's keys and no others.
async fn tenant_tx(pool: &PgPool, tenant: Uuid) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    Box::pin(pool.begin_with(format!("BEGIN; SET LOCAL app.tenant = '{tenant}'"))).await
}

/// Keeps a new key. Role: keeper.
pub(super) async fn insert(pool: &PgPool, tenant: Uuid, person: Uuid, wrapped: &Wrapped) -> Result<(), sqlx::Error> {
    let mut tx = tenant_tx(pool, tenant).await?;
    sqlx::query("INSERT INTO person_key (version, tenant, person, wrapped) VALUES ($1, $2, $3, $4)")
        .bind(wrapped.version)
        .bind(tenant)
        .bind(person)
        .bind(&wrapped.text)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// The wrapped keys of those who have one. Role: keeper.
pub(super) async fn find(pool: &PgPool, tenant: Uuid, people: &[Uuid]) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let mut tx = tenant_tx(pool, tenant).await?;
    let found = sqlx::query_as("SELECT person, wrapped FROM person_key WHERE tenant = $1 AND person = ANY ($2)")
        .bind(tenant)
        .bind(people)
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(found)
}

/// Those of some people who have a key. Role: keeper.
pub(super) async fn present(pool: &PgPool, tenant: Uuid, people: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = tenant_tx(pool, tenant).await?;
    let found = sqlx::query_scalar("SELECT person FROM person_key WHERE tenant = $1 AND person = ANY ($2)")
        .bind(tenant)
        .bind(people)
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(found)
}

/// Destroys a key; one that is gone already is no error. Role: keeper.
pub(super) async fn delete(pool: &PgPool, tenant: Uuid, person: Uuid) -> Result<(), sqlx::Error> {
    let mut tx = tenant_tx(pool, tenant).await?;
    sqlx::query("DELETE FROM person_key WHERE tenant = $1 AND person = $2")
        .bind(tenant)
        .bind(person)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// A page of keys that an older version wrapped: tenant, person, wrapped. Role: rewrapper.
pub(super) async fn older_than(
    pool: &PgPool,
    version: i32,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid, String)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT tenant, person, wrapped FROM person_key WHERE version < $1 ORDER BY version, tenant, person LIMIT $2",
    )
    .bind(version)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// How many keys an older version wrapped. Role: rewrapper.
pub(super) async fn count_older_than(pool: &PgPool, version: i32) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM person_key WHERE version < $1").bind(version).fetch_one(pool).await
}

/// Puts new wrappings in the place of the old ones, in one statement. A key that was destroyed meanwhile stays destroyed.
/// Role: rewrapper.
pub(super) async fn replace(pool: &PgPool, rows: &[(Uuid, Uuid, Wrapped)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE person_key k SET version = row.version, wrapped = row.wrapped
         FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[]) AS row (version, tenant, person, wrapped)
         WHERE k.tenant = row.tenant AND k.person = row.person AND k.version < row.version",
    )
    .bind(rows.iter().map(|(.., wrapped)| wrapped.version).collect::<Vec<_>>())
    .bind(rows.iter().map(|(tenant, ..)| *tenant).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, person, _)| *person).collect::<Vec<_>>())
    .bind(rows.iter().map(|(.., wrapped)| wrapped.text.clone()).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

//! The rows of receipts. Role: editor.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::code::Code;
use super::service::{Given, Receipt};
use crate::kernel::Instant;

/// Where a receipt is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) shard: i16,
    pub(super) tenant: Uuid,
    pub(super) transaction: Uuid,
}

pub(super) async fn find(tx: &mut PgConnection, place: Place) -> Result<Option<Receipt>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT code, signed FROM receipt WHERE shard = $1 AND tenant = $2 AND transaction = $3",
        place.shard,
        place.tenant,
        place.transaction
    )
    .fetch_optional(tx)
    .await?;
    // The table admits nothing else than codes.
    Ok(row.and_then(|row| Some(Receipt { code: Code::read(&row.code)?, signed: row.signed })))
}

/// Keeps a receipt, unless there is one.
pub(super) async fn insert(
    tx: &mut PgConnection,
    place: Place,
    receipt: &Receipt,
    now: Instant,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO receipt (shard, tenant, transaction, code, signed, issued_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        place.shard,
        place.tenant,
        place.transaction,
        receipt.code.as_str(),
        receipt.signed,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn by_code(pool: &PgPool, code: &Code) -> Result<Option<Given>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT tenant AS "tenant!", transaction AS "transaction!", issued_at AS "issued_at!" FROM receipt_of_code($1) LIMIT 1"#,
        code.as_str()
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Given { tenant: row.tenant, transaction: row.transaction, issued_at: row.issued_at }))
}

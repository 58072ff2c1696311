//! Whose a charge is. Role: reader, without a tenant.

use sqlx::PgPool;
use uuid::Uuid;

/// The tenant of a charge.
pub(super) async fn tenant_of(pool: &PgPool, charge: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT charge_tenant($1)", charge).fetch_one(pool).await
}

//! Which providers and services a tenant has, in the order of their coming. Their streams say all about them.

use super::event::{PROVIDER_REGISTERED, SERVICE_OPENED, ServiceDescribed};
use crate::event_store::Recorded;
use crate::event_store::append::Statement;
use crate::event_store::overlay::EventRow;
use sqlx::PgConnection;
use uuid::Uuid;

/// One of them, and its place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// Its place.
    pub position: i64,
}

/// This context's part of every commit.
pub fn look_ups(shard: i16, rows: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error> {
    let mut statements = Vec::new();
    for recorded in rows.iter().map(|row| &row.recorded) {
        match &*recorded.kind {
            PROVIDER_REGISTERED => statements.push(provider(shard, recorded)),
            SERVICE_OPENED => statements.push(service(shard, recorded)?),
            _ => {}
        }
    }
    Ok(statements)
}

fn provider(shard: i16, recorded: &Recorded) -> Statement {
    sqlx::query!(
        "INSERT INTO provider (shard, tenant, position, provider) VALUES ($1, $2, $3, $4)",
        shard,
        recorded.tenant,
        recorded.position,
        recorded.stream
    )
}

fn service(shard: i16, recorded: &Recorded) -> Result<Statement, sqlx::Error> {
    let says: ServiceDescribed =
        serde_json::from_str(&recorded.payload).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(sqlx::query!(
        "INSERT INTO service (shard, tenant, position, service, provider) VALUES ($1, $2, $3, $4, $5)",
        shard,
        recorded.tenant,
        recorded.position,
        recorded.stream,
        says.provider
    ))
}

/// The providers after a place.
pub async fn providers(
    tx: &mut PgConnection,
    (shard, tenant): (i16, Uuid),
    after: i64,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT provider AS id, position FROM provider WHERE shard = $1 AND tenant = $2 AND position > $3 ORDER BY position LIMIT $4",
        shard,
        tenant,
        after,
        limit
    )
    .fetch_all(tx)
    .await
}

/// The services after a place, or those of one provider.
pub async fn services(
    tx: &mut PgConnection,
    (shard, tenant): (i16, Uuid),
    provider: Option<Uuid>,
    after: i64,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let Some(provider) = provider else {
        return sqlx::query_as!(
            Row,
            "SELECT service AS id, position FROM service WHERE shard = $1 AND tenant = $2 AND position > $3 ORDER BY position LIMIT $4",
            shard,
            tenant,
            after,
            limit
        )
        .fetch_all(tx)
        .await;
    };
    sqlx::query_as!(
        Row,
        "SELECT service AS id, position FROM service WHERE shard = $1 AND tenant = $2 AND provider = $3 AND position > $4 ORDER BY position LIMIT $5",
        shard,
        tenant,
        provider,
        after,
        limit
    )
    .fetch_all(tx)
    .await
}

//! Endpoints and the times of their secrets, inside a transaction of their tenant.

use std::collections::HashMap;

use chrono::TimeDelta;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::kernel::Instant;
use crate::webhooks::endpoint::{Because, Change, Draft, Endpoint, SecretTimes, State};
use crate::webhooks::service::Owner;

struct Row {
    endpoint: Uuid,
    url: String,
    events: Vec<String>,
    description: Option<String>,
    disabled_because: Option<String>,
    created_at: Instant,
}

impl Row {
    fn read(self, secrets: Vec<SecretTimes>) -> Endpoint {
        let state = match self.disabled_because.as_deref() {
            None => State::Enabled,
            Some("gone") => State::Disabled(Because::Gone),
            Some(_) => State::Disabled(Because::Asked),
        };
        Endpoint {
            id: self.endpoint,
            url: self.url,
            events: self.events,
            description: self.description,
            state,
            created_at: self.created_at,
            secrets,
        }
    }
}

/// Endpoints of a tenant, or the one of an id, with the secrets that sign now.
pub async fn list(tx: &mut PgConnection, owner: Owner, only: Option<Uuid>) -> Result<Vec<Endpoint>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT endpoint, url, events, description, disabled_because, created_at FROM webhook_endpoint
         WHERE shard = $1 AND tenant = $2 AND ($3::uuid IS NULL OR endpoint = $3) AND state <> 'deleted' ORDER BY endpoint",
        owner.shard,
        owner.tenant,
        only
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut secrets = secrets(tx, owner, only).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let own = secrets.remove(&row.endpoint).unwrap_or_default();
            row.read(own)
        })
        .collect())
}

async fn secrets(
    tx: &mut PgConnection,
    owner: Owner,
    only: Option<Uuid>,
) -> Result<HashMap<Uuid, Vec<SecretTimes>>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT endpoint, number, created_at, ends_at FROM webhook_secret
         WHERE shard = $1 AND tenant = $2 AND ($3::uuid IS NULL OR endpoint = $3) AND (ends_at IS NULL OR ends_at > now())
         ORDER BY number DESC",
        owner.shard,
        owner.tenant,
        only
    )
    .fetch_all(tx)
    .await?;
    let mut secrets: HashMap<Uuid, Vec<SecretTimes>> = HashMap::new();
    for row in rows {
        let times = SecretTimes { number: row.number, created_at: row.created_at, ends_at: row.ends_at };
        secrets.entry(row.endpoint).or_default().push(times);
    }
    Ok(secrets)
}

/// How many endpoints a tenant has. Two requests at once may both find the last place free: the bound is there for
/// programs gone wild.
pub async fn count(tx: &mut PgConnection, owner: Owner) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM webhook_endpoint WHERE shard = $1 AND tenant = $2 AND state <> 'deleted'"#,
        owner.shard,
        owner.tenant
    )
    .fetch_one(tx)
    .await
}

/// Locks an endpoint; `false` if there is none.
pub async fn lock(tx: &mut PgConnection, owner: Owner, endpoint: Uuid) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT endpoint FROM webhook_endpoint WHERE shard = $1 AND tenant = $2 AND endpoint = $3 AND state <> 'deleted' FOR UPDATE",
        owner.shard,
        owner.tenant,
        endpoint
    );
    Ok(found.fetch_optional(tx).await?.is_some())
}

/// Adds an endpoint that wants what is recorded from now on.
pub async fn insert(tx: &mut PgConnection, owner: Owner, endpoint: Uuid, draft: &Draft) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO webhook_endpoint (shard, tenant, endpoint, url, events, description, state, created_at, from_position)
         VALUES ($1, $2, $3, $4, $5, $6, 'enabled', now(), coalesce((SELECT last_position FROM batch WHERE shard = $1 ORDER BY seq DESC LIMIT 1), 0))",
        owner.shard,
        owner.tenant,
        endpoint,
        draft.url,
        &draft.events,
        draft.description
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Changes an endpoint.
pub async fn change(tx: &mut PgConnection, owner: Owner, endpoint: Uuid, change: &Change) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhook_endpoint SET url = coalesce($4, url), events = coalesce($5, events),
                description = CASE WHEN $6 THEN $7 ELSE description END
         WHERE shard = $1 AND tenant = $2 AND endpoint = $3",
        owner.shard,
        owner.tenant,
        endpoint,
        change.url,
        change.events.as_deref(),
        change.description.is_some(),
        change.description.clone().flatten()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Enables or disables an endpoint.
pub async fn switch(tx: &mut PgConnection, owner: Owner, endpoint: Uuid, is_on: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhook_endpoint SET state = CASE WHEN $4 THEN 'enabled' ELSE 'disabled' END,
                disabled_because = CASE WHEN NOT $4 THEN coalesce(disabled_because, 'asked') END
         WHERE shard = $1 AND tenant = $2 AND endpoint = $3",
        owner.shard,
        owner.tenant,
        endpoint,
        is_on
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes an endpoint: its address and secrets now, its deliveries by the worker, a portion at a time.
pub async fn delete(tx: &mut PgConnection, owner: Owner, endpoint: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhook_endpoint SET state = 'deleted', url = '', description = NULL, disabled_because = NULL
         WHERE shard = $1 AND tenant = $2 AND endpoint = $3",
        owner.shard,
        owner.tenant,
        endpoint
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "DELETE FROM webhook_secret WHERE shard = $1 AND tenant = $2 AND endpoint = $3",
        owner.shard,
        owner.tenant,
        endpoint
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the secrets that sign after the overlap at the latest, and forgets those that have ended.
pub async fn end_secrets(
    tx: &mut PgConnection,
    owner: Owner,
    endpoint: Uuid,
    overlap: TimeDelta,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhook_secret SET ends_at = least(ends_at, now() + $4::bigint * interval '1 second')
         WHERE shard = $1 AND tenant = $2 AND endpoint = $3",
        owner.shard,
        owner.tenant,
        endpoint,
        overlap.num_seconds()
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "DELETE FROM webhook_secret WHERE shard = $1 AND tenant = $2 AND endpoint = $3 AND ends_at <= now()",
        owner.shard,
        owner.tenant,
        endpoint
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds a sealed secret.
pub async fn insert_secret(
    tx: &mut PgConnection,
    owner: Owner,
    endpoint: Uuid,
    number: i32,
    sealed: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO webhook_secret (shard, tenant, endpoint, number, sealed, created_at) VALUES ($1, $2, $3, $4, $5, now())",
        owner.shard,
        owner.tenant,
        endpoint,
        number,
        sealed
    )
    .execute(tx)
    .await?;
    Ok(())
}

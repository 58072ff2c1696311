//! The SQL of exports. Role: auditor. The database writes the lines, so that payloads keep their bytes.

use sqlx::PgPool;
use uuid::Uuid;

use super::{Page, Part, Point, Scope};
use crate::event_store::head::{self, Head};

/// Positions looked at for a page of the log; most of them may be other tenants'.
const WINDOW: i64 = 10_000;
/// Rows of a page of anything else.
const ROWS: i64 = 2_000;

/// The newest batch of a shard; `None` before the first.
pub async fn newest(pool: &PgPool, shard: i16) -> Result<Option<Point>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let Head { seq, last_position, tip, .. } = head::read(&mut connection, shard, 0).await?.head;
    Ok((seq > 0).then_some(Point { position: last_position, seq, tip }))
}

/// Whether a batch is still in the log; if not, history was restored to before it.
pub async fn is_still_there(pool: &PgPool, shard: i16, point: &Point) -> Result<bool, sqlx::Error> {
    let tip = sqlx::query_scalar!("SELECT tip FROM batch WHERE shard = $1 AND seq = $2", shard, point.seq);
    Ok(tip.fetch_optional(pool).await?.is_some_and(|tip| tip == point.tip))
}

/// The page of a part after a key, or the first one.
pub async fn page(pool: &PgPool, scope: &Scope, part: Part, after: Option<&str>) -> Result<Page, sqlx::Error> {
    let number = after.and_then(|after| after.parse().ok()).unwrap_or(0);
    let name = after.unwrap_or_default();
    match part {
        Part::Events => events(pool, scope, number).await,
        Part::Batches => batches(pool, scope, number).await,
        Part::Assets => assets(pool, scope, name).await,
        Part::Accounts => accounts(pool, scope, number).await,
        Part::Requests => requests(pool, scope, name).await,
        Part::Clients => clients(pool, scope).await,
        Part::Endpoints => endpoints(pool, scope).await,
        Part::Subscriptions => subscriptions(pool, scope).await,
    }
}

async fn events(pool: &PgPool, scope: &Scope, after: i64) -> Result<Page, sqlx::Error> {
    let to = scope.point.position.min(after.saturating_add(WINDOW));
    let lines = sqlx::query_scalar!(
        r#"SELECT json_build_object('position', e.position, 'batch', b.seq, 'id', e.stream, 'version', e.version, 'kind', e.kind, 'schema', e.schema,
                  'actor', e.actor, 'causation', e.causation, 'correlation', e.correlation,
                  'recorded_at', to_char(b.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'effective_at', to_char(e.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'payload', e.payload)::text AS "line!"
           FROM event e
           CROSS JOIN LATERAL (SELECT seq, recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
           WHERE e.shard = $1 AND e.position > $2 AND e.position <= $3 AND e.tenant = $4 ORDER BY e.position"#,
        scope.shard,
        after,
        to,
        scope.tenant
    )
    .fetch_all(pool)
    .await?;
    Ok(Page { lines, next: (to < scope.point.position).then(|| to.to_string()) })
}

async fn batches(pool: &PgPool, scope: &Scope, after: i64) -> Result<Page, sqlx::Error> {
    let to = scope.point.seq.min(after.saturating_add(ROWS));
    let lines = sqlx::query_scalar!(
        r#"SELECT json_build_object('batch', b.seq, 'epoch', b.epoch, 'first_position', b.first_position, 'last_position', b.last_position,
                  'tip', encode(b.tip, 'hex'), 'flags', b.flags,
                  'recorded_at', to_char(b.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text AS "line!"
           FROM batch b WHERE b.shard = $1 AND b.seq > $2 AND b.seq <= $3 AND EXISTS (
               SELECT FROM event e WHERE e.shard = $1 AND e.position BETWEEN b.first_position AND b.last_position AND e.tenant = $4)
           ORDER BY b.seq"#,
        scope.shard,
        after,
        to,
        scope.tenant
    )
    .fetch_all(pool)
    .await?;
    Ok(Page { lines, next: (to < scope.point.seq).then(|| to.to_string()) })
}

async fn assets(pool: &PgPool, scope: &Scope, after: &str) -> Result<Page, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT code, json_build_object('code', code, 'scale', scale, 'description', description)::text AS "line!" FROM asset
           WHERE shard = $1 AND tenant = $2 AND code > $3 AND position <= $4 ORDER BY code LIMIT $5"#,
        scope.shard,
        scope.tenant,
        after,
        scope.point.position,
        ROWS
    )
    .fetch_all(pool)
    .await?;
    Ok(keyed(rows.into_iter().map(|row| (row.code, row.line))))
}

/// `OFFSET 0` keeps the version a value of its own, computed once for each account.
async fn accounts(pool: &PgPool, scope: &Scope, after: i64) -> Result<Page, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT a.account, json_build_object('id', a.id, 'name', a.name, 'asset', a.asset, 'scale', a.scale, 'normal_side', a.normal_side,
                  'opened_at_position', a.account, 'status', a.status, 'settings_version', a.settings_version, 'sends', a.sends, 'receives', a.receives,
                  'min_balance_minor', a.min_balance::text, 'max_balance_minor', a.max_balance::text, 'metadata', a.metadata,
                  'version', coalesce(n.version, 0), 'posted_minor', coalesce(n.posted, 0)::text, 'held_minor', coalesce(n.held, 0)::text,
                  'incoming_minor', coalesce(n.incoming, 0)::text)::text AS "line!"
           FROM account a
           CROSS JOIN LATERAL (SELECT version_at(a.shard, a.account, $4) AS version OFFSET 0) newest
           LEFT JOIN entry n ON n.shard = $1 AND n.account = a.account AND n.version = newest.version
           WHERE a.shard = $1 AND a.tenant = $2 AND a.account > $3 AND a.account <= $4 ORDER BY a.account LIMIT $5"#,
        scope.shard,
        scope.tenant,
        after,
        scope.point.position,
        ROWS
    )
    .fetch_all(pool)
    .await?;
    Ok(keyed(rows.into_iter().map(|row| (row.account.to_string(), row.line))))
}

/// In the order of principal and key; `after` is both, with a space between them.
async fn requests(pool: &PgPool, scope: &Scope, after: &str) -> Result<Page, sqlx::Error> {
    let (principal, key) = after.split_once(' ').unwrap_or_default();
    let principal: Uuid = principal.parse().unwrap_or(Uuid::nil());
    let rows = sqlx::query!(
        r#"SELECT principal, key, json_build_object('principal', principal, 'key', key, 'fingerprint', encode(fingerprint, 'hex'), 'status', status,
                  'code', code, 'batch', seq, 'position', position)::text AS "line!"
           FROM request WHERE shard = $1 AND tenant = $2 AND (principal, key) > ($3, $4) AND seq <= $5 ORDER BY principal, key LIMIT $6"#,
        scope.shard,
        scope.tenant,
        principal,
        key,
        scope.point.seq,
        ROWS
    )
    .fetch_all(pool)
    .await?;
    Ok(keyed(rows.into_iter().map(|row| (format!("{} {}", row.principal, row.key), row.line))))
}

async fn clients(pool: &PgPool, scope: &Scope) -> Result<Page, sqlx::Error> {
    let lines = sqlx::query_scalar!(
        r#"SELECT json_build_object('client_id', client, 'name', name, 'scopes', scopes, 'networks', networks,
                  'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'expires_at', to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'revoked_at', to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text AS "line!"
           FROM client WHERE tenant = $1 ORDER BY created_at, client"#,
        scope.tenant
    )
    .fetch_all(pool)
    .await?;
    Ok(Page { lines, next: None })
}

async fn endpoints(pool: &PgPool, scope: &Scope) -> Result<Page, sqlx::Error> {
    let lines = sqlx::query_scalar!(
        r#"SELECT json_build_object('id', endpoint, 'url', url, 'events', events, 'description', description, 'state', state,
                  'disabled_because', disabled_because, 'from_position', from_position,
                  'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text AS "line!"
           FROM webhook_endpoint WHERE shard = $1 AND tenant = $2 AND state <> 'deleted' ORDER BY endpoint"#,
        scope.shard,
        scope.tenant
    )
    .fetch_all(pool)
    .await?;
    Ok(Page { lines, next: None })
}

async fn subscriptions(pool: &PgPool, scope: &Scope) -> Result<Page, sqlx::Error> {
    let lines = sqlx::query_scalar!(
        r#"SELECT json_build_object('name', name, 'kinds', kinds, 'length', length,
                  'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text AS "line!"
           FROM subscription WHERE tenant = $1 AND removed_at IS NULL ORDER BY name"#,
        scope.tenant
    )
    .fetch_all(pool)
    .await?;
    Ok(Page { lines, next: None })
}

/// A page of rows that are found by a key: a full one has a successor.
fn keyed(rows: impl Iterator<Item = (String, String)>) -> Page {
    let (keys, lines): (Vec<String>, Vec<String>) = rows.unzip();
    let is_full = i64::try_from(lines.len()).is_ok_and(|count| count >= ROWS);
    Page { lines, next: keys.into_iter().next_back().filter(|_| is_full) }
}

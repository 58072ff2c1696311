//! Pages of what is derived from the log: entries, counters, bodies.

use super::super::account::Line;
use sqlx::PgConnection;
use uuid::Uuid;

/// Entries after an account's version, across accounts, in order of account and version.
pub async fn entries(
    session: &mut PgConnection,
    shard: i16,
    after: (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, Line)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT account, kind, version, position, amount, posted, held, incoming, tenant, effective_at FROM entry
         WHERE shard = $1 AND (account, version) > ($2, $3) ORDER BY account, version LIMIT $4",
        shard,
        after.0,
        after.1,
        limit
    )
    .fetch_all(session)
    .await?;
    let lines = rows.into_iter().map(|row| {
        let line = Line {
            kind: row.kind,
            version: row.version,
            position: row.position,
            amount: row.amount,
            posted: row.posted,
            held: row.held,
            incoming: row.incoming,
            tenant: row.tenant,
            effective_at: row.effective_at,
        };
        (row.account, line)
    });
    Ok(lines.collect())
}

/// A counter row with the event that it says it counts.
#[derive(Debug)]
pub struct Counter {
    /// Internal number of the account.
    pub account: i64,
    /// Key of the window.
    pub key: String,
    /// Contiguous per key.
    pub version: i64,
    /// The event.
    pub position: i64,
    /// Used after it.
    pub used: i64,
    /// Owner.
    pub tenant: Uuid,
    /// The event's tenant.
    pub event_tenant: Option<Uuid>,
    /// The event's payload.
    pub payload: Option<String>,
}

/// Counter rows after one, in order of account, key and version.
pub async fn counters(
    session: &mut PgConnection,
    shard: i16,
    after: (i64, &str, i64),
    limit: i64,
) -> Result<Vec<Counter>, sqlx::Error> {
    sqlx::query_as!(
        Counter,
        r#"SELECT c.account, c.key, c.version, c.position, c.used, c.tenant, e.tenant AS "event_tenant?", e.payload::text AS payload
           FROM counter c LEFT JOIN event e ON e.shard = $1 AND e.position = c.position
           WHERE c.shard = $1 AND (c.account, c.key, c.version) > ($2, $3, $4) ORDER BY c.account, c.key, c.version LIMIT $5"#,
        shard,
        after.0,
        after.1,
        after.2,
        limit
    )
    .fetch_all(session)
    .await
}

/// Of these counts (account, key, position) the positions of those without a row, in order.
pub async fn uncounted(
    session: &mut PgConnection,
    shard: i16,
    counts: &[(i64, String, i64)],
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT wanted.position AS "position!" FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS wanted (account, key, position)
           WHERE NOT EXISTS (SELECT FROM counter c WHERE c.shard = $1 AND c.account = wanted.account AND c.key = wanted.key AND c.position = wanted.position)
           ORDER BY wanted.position"#,
        shard,
        &counts.iter().map(|c| c.0).collect::<Vec<_>>() as _,
        &counts.iter().map(|c| c.1.as_str()).collect::<Vec<_>>() as _,
        &counts.iter().map(|c| c.2).collect::<Vec<_>>() as _
    )
    .fetch_all(session)
    .await
}

/// The scope of a key: tenant, principal, key.
pub type Scope = (Uuid, Uuid, String);

/// Bodies after one, in the order of their batches, with the batch of the request that each belongs to.
pub async fn bodies(
    session: &mut PgConnection,
    shard: i16,
    (seq, scope): &(i64, Scope),
    limit: i64,
) -> Result<Vec<((i64, Scope), Option<i64>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT b.tenant, b.principal, b.key, b.seq, r.seq AS "request_seq?"
           FROM request_body b LEFT JOIN request r ON r.shard = $1 AND r.tenant = b.tenant AND r.principal = b.principal AND r.key = b.key
           WHERE b.shard = $1 AND (b.seq, b.tenant, b.principal, b.key) > ($2, $3, $4, $5) ORDER BY b.seq, b.tenant, b.principal, b.key LIMIT $6"#,
        shard,
        seq,
        scope.0,
        scope.1,
        scope.2,
        limit
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.seq, (row.tenant, row.principal, row.key)), row.request_seq)).collect())
}

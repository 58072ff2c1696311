//! The rows that a sample is about.

use crate::event_store::overlay::{EventRow, Origin};
use crate::event_store::proposal::Recorded;
use crate::kernel::Instant;
use sqlx::PgConnection;
use uuid::Uuid;

/// Balances of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Posted.
    pub posted: i64,
    /// Set aside.
    pub held: i64,
    /// Announced.
    pub incoming: i64,
}

/// An entry with the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryOf {
    /// Internal number of the account.
    pub account: i64,
    /// Its version.
    pub version: i64,
    /// What it says was posted.
    pub amount: i64,
    /// The balances of the version before, where there is one.
    pub before: Option<Balance>,
    /// Its own.
    pub after: Balance,
}

/// The entries that events left: one per pair of account and position, in the order asked for.
pub async fn entries_of(
    session: &mut PgConnection,
    shard: i16,
    wanted: &[(Uuid, i64)],
) -> Result<Vec<Option<EntryOf>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT e.account AS "account?", e.version AS "version?", e.amount AS "amount?", e.posted AS "posted?", e.held AS "held?", e.incoming AS "incoming?",
                  before.posted AS "posted_before?", before.held AS "held_before?", before.incoming AS "incoming_before?"
           FROM unnest($2::uuid[], $3::bigint[]) WITH ORDINALITY AS wanted (id, position, ordinality)
           LEFT JOIN account a ON a.shard = $1 AND a.id = wanted.id
           LEFT JOIN LATERAL (SELECT version_at($1, a.account, wanted.position) AS version OFFSET 0) newest ON true
           LEFT JOIN entry e ON e.shard = $1 AND e.account = a.account AND e.version = newest.version AND e.position = wanted.position
           LEFT JOIN entry before ON before.shard = $1 AND before.account = e.account AND before.version = e.version - 1
           ORDER BY wanted.ordinality"#,
        shard,
        &wanted.iter().map(|w| w.0).collect::<Vec<_>>() as _,
        &wanted.iter().map(|w| w.1).collect::<Vec<_>>() as _
    )
    .fetch_all(session)
    .await?;
    let balance = |posted: Option<i64>, held: Option<i64>, incoming: Option<i64>| {
        Some(Balance { posted: posted?, held: held?, incoming: incoming? })
    };
    let entries = rows.into_iter().map(|row| {
        Some(EntryOf {
            account: row.account?,
            version: row.version?,
            amount: row.amount?,
            before: balance(row.posted_before, row.held_before, row.incoming_before),
            after: balance(row.posted, row.held, row.incoming)?,
        })
    });
    Ok(entries.collect())
}

/// Every event of some streams, in order of position.
pub async fn streams(session: &mut PgConnection, shard: i16, streams: &[Uuid]) -> Result<Vec<EventRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT position, tenant, stream, version, kind, payload::text AS "payload!", actor, correlation, effective_at FROM event
           WHERE shard = $1 AND stream = ANY ($2) ORDER BY position"#,
        shard,
        streams
    )
    .fetch_all(session)
    .await?;
    let rows = rows.into_iter().map(|row| EventRow {
        recorded: Recorded {
            position: row.position,
            tenant: row.tenant,
            stream: row.stream,
            version: row.version,
            kind: row.kind.into(),
            payload: row.payload.into(),
            effective_at: row.effective_at,
            // No look-up says when.
            recorded_at: Instant::UNIX_EPOCH,
        },
        origin: Origin { tenant: row.tenant, actor: row.actor.into(), correlation: row.correlation.map(Into::into) },
    });
    Ok(rows.collect())
}

/// What an account had posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its internal number.
    pub account: i64,
    /// Its owner.
    pub tenant: Uuid,
    /// Its asset.
    pub asset: String,
    /// Debits raise it.
    pub is_debit: bool,
    /// In the direction of its normal side.
    pub posted: i64,
}

/// What accounts after a number had posted at a position.
pub async fn posted(
    session: &mut PgConnection,
    shard: i16,
    position: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        r#"SELECT a.account, a.tenant, a.asset, a.normal_side = 'debit' AS "is_debit!", coalesce(e.posted, 0) AS "posted!"
           FROM account a
           CROSS JOIN LATERAL (SELECT version_at($1, a.account, $2) AS version OFFSET 0) newest
           LEFT JOIN entry e ON e.shard = $1 AND e.account = a.account AND e.version = newest.version
           WHERE a.shard = $1 AND a.account > $3 AND a.account <= $2 ORDER BY a.account LIMIT $4"#,
        shard,
        position,
        after,
        limit
    )
    .fetch_all(session)
    .await
}

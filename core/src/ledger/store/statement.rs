//! A statement's lines: a range of an account's entries with the events that caused them.

use crate::event_store::proposal::EntryKind;
use crate::kernel::{Instant, Minor};
use sqlx::PgConnection;
use uuid::Uuid;

/// Which lines a statement shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Effective at or after this instant, with the newest position recorded before it.
    pub from: Option<(Instant, i64)>,
    /// Effective at or before this instant, with the newest position recorded at or before it.
    pub to: Option<(Instant, i64)>,
    /// Lines that only held, released or announced money.
    pub with_holds: bool,
    /// What else the lines have in common.
    pub filter: Filter,
    /// Up to this version of the account's entries.
    pub last: i64,
}

/// What lines are picked by beyond their dates. Each is a look at rows that were read anyway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// What came in (true), or what went out.
    pub is_in: Option<bool>,
    /// Not less than this, whatever the direction.
    pub least: Option<Minor>,
    /// Not more than this, whatever the direction.
    pub most: Option<Minor>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    /// The entry's version, which orders the statement.
    pub version: i64,
    /// The event's position.
    pub position: i64,
    /// As stored.
    pub kind: i16,
    /// Change of `posted`.
    pub amount: Minor,
    /// Balance after.
    pub posted: Minor,
    /// Held after.
    pub held: Minor,
    /// Announced after.
    pub incoming: Minor,
    /// The event's stream.
    pub stream: Uuid,
    /// The event's kind.
    pub event_kind: String,
    /// The event's facts.
    pub payload: String,
    /// The value date where it was given.
    pub effective_at: Option<Instant>,
    /// When it was recorded.
    pub recorded_at: Instant,
}

/// How many entries one page looks at: a filter that admits few must not make a statement read an
/// account's whole history at once.
const WINDOW: i64 = 20_000;

/// Lines after a version, and the version up to which the account was looked at.
pub async fn lines(
    tx: &mut PgConnection,
    shard: i16,
    account: i64,
    after: i64,
    range: Range,
    limit: i64,
) -> Result<(Vec<LineRow>, i64), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT n.version AS "version!", n.position AS "position!", n.kind AS "kind!", n.amount AS "amount!", n.posted AS "posted!", n.held AS "held!",
                  n.incoming AS "incoming!", n.effective_at, e.stream, e.kind AS event_kind, e.payload::text AS "payload!", b.recorded_at
           FROM (SELECT * FROM entry WHERE shard = $1 AND account = $2 AND version > $3 AND version <= least($3 + $9, $11) ORDER BY version) n
           JOIN event e ON e.shard = $1 AND e.position = n.position
           CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= n.position ORDER BY last_position, seq LIMIT 1) b
           WHERE ($10 OR n.amount <> 0)
             AND ($4::timestamptz IS NULL OR CASE WHEN n.effective_at IS NULL THEN n.position > $5 ELSE n.effective_at >= $4 END)
             AND ($12::smallint IS NULL OR n.kind = $12)
             AND ($13::boolean IS NULL OR CASE WHEN $13 THEN n.amount > 0 ELSE n.amount < 0 END)
             AND ($14::bigint IS NULL OR abs(n.amount) >= $14)
             AND ($15::bigint IS NULL OR abs(n.amount) <= $15)
             AND ($6::timestamptz IS NULL OR CASE WHEN n.effective_at IS NULL THEN n.position <= $7 ELSE n.effective_at <= $6 END)
           ORDER BY n.version LIMIT $8"#,
        shard,
        account,
        after,
        range.from.map(|from| from.0),
        range.from.map(|from| from.1),
        range.to.map(|to| to.0),
        range.to.map(|to| to.1),
        limit,
        WINDOW,
        range.with_holds,
        range.last,
        range.filter.kind.map(|kind| kind as i16),
        range.filter.is_in,
        range.filter.least.map(Minor::to_bigint),
        range.filter.most.map(Minor::to_bigint)
    )
    .fetch_all(tx)
    .await?;
    let lines: Vec<LineRow> = rows
        .into_iter()
        .map(|row| LineRow {
            version: row.version,
            position: row.position,
            kind: row.kind,
            amount: Minor::from_bigint(row.amount),
            posted: Minor::from_bigint(row.posted),
            held: Minor::from_bigint(row.held),
            incoming: Minor::from_bigint(row.incoming),
            stream: row.stream,
            event_kind: row.event_kind,
            payload: row.payload,
            effective_at: row.effective_at,
            recorded_at: row.recorded_at,
        })
        .collect();
    let is_full = i64::try_from(lines.len()).is_ok_and(|count| count >= limit);
    let looked_at = lines.last().filter(|_| is_full).map_or(after + WINDOW, |line| line.version);
    Ok((lines, looked_at))
}

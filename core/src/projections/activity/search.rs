//! The search itself.

use super::super::views::{Scope, Seen, ViewError, Views};
use super::{Activity, counterparty_term, word_term, words};
use crate::kernel::{Instant, Minor};
use sqlx::PgConnection;
use uuid::Uuid;

/// What to find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Terms that a row must all carry.
    pub terms: Vec<Uuid>,
    /// Only this kind.
    pub kind: Option<String>,
    /// The smallest amount, whichever way it went.
    pub least: Option<Minor>,
    /// The largest amount, whichever way it went.
    pub most: Option<Minor>,
    /// Effective at or after this instant.
    pub from: Option<Instant>,
    /// Effective at or before this instant.
    pub to: Option<Instant>,
}

impl Search {
    /// Only what holds every word of a text; answers how many there are.
    pub fn text(&mut self, text: &str) -> usize {
        let terms: Vec<Uuid> = words(text).map(|word| word_term(&word)).collect();
        self.terms.extend(&terms);
        terms.len()
    }

    /// Only what has this account alone on its other side.
    pub fn with(&mut self, counterparty: Uuid) {
        self.terms.push(counterparty_term(counterparty));
    }
}

/// A row, with the event's stream and facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands in the log.
    pub position: i64,
    /// How statements call it.
    pub kind: String,
    /// The change, in the direction of the account's normal side.
    pub amount: Minor,
    /// The account that was alone on the other side.
    pub counterparty: Option<Uuid>,
    /// Its value date.
    pub effective_at: Instant,
    /// The transaction or hold.
    pub stream: Uuid,
    /// The event's kind.
    pub event_kind: String,
    /// The event's facts.
    pub payload: String,
}

/// How many rows of the account, or with the first term, one page looks at.
const WINDOW: i64 = 20_000;

impl Views {
    /// What happened on an account before a position, the newest first; and where to go on.
    pub async fn activity(
        &self,
        scope: Scope,
        account: Uuid,
        wanted: &Search,
        before: i64,
        limit: i64,
    ) -> Result<Seen<(Vec<Found>, Option<i64>)>, ViewError> {
        let (mut tx, as_of) = self.open(&Activity, scope).await?;
        let rows = search(&mut tx, scope.shard, account, wanted, before, limit).await?;
        tx.commit().await?;
        Ok(Seen { rows, as_of })
    }
}

async fn search(
    tx: &mut PgConnection,
    shard: i16,
    account: Uuid,
    search: &Search,
    before: i64,
    limit: i64,
) -> Result<(Vec<Found>, Option<i64>), sqlx::Error> {
    let end = match search.terms.first() {
        None => end(tx, shard, account, before).await?,
        Some(term) => end_of_term(tx, shard, account, *term, before).await?,
    };
    let positions = match search.terms.first() {
        None => by_account(tx, shard, account, search, (end.unwrap_or(0), before), limit).await?,
        Some(_) => by_terms(tx, shard, account, search, (end.unwrap_or(0), before), limit).await?,
    };
    let is_full = i64::try_from(positions.len()).is_ok_and(|count| count >= limit);
    let next = if is_full { positions.last().copied() } else { end };
    Ok((show(tx, shard, account, &positions).await?, next))
}

/// The last row that a page looks at; `None` when there are not that many.
async fn end(tx: &mut PgConnection, shard: i16, account: Uuid, before: i64) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT position FROM activity WHERE shard = $1 AND account = $2 AND position < $3 ORDER BY position DESC OFFSET $4 LIMIT 1",
        shard,
        account,
        before,
        WINDOW - 1
    )
    .fetch_optional(tx)
    .await
}

async fn end_of_term(
    tx: &mut PgConnection,
    shard: i16,
    account: Uuid,
    term: Uuid,
    before: i64,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT position FROM activity_term WHERE shard = $1 AND account = $2 AND term = $3 AND position < $4
         ORDER BY position DESC OFFSET $5 LIMIT 1",
        shard,
        account,
        term,
        before,
        WINDOW - 1
    )
    .fetch_optional(tx)
    .await
}

async fn by_account(
    tx: &mut PgConnection,
    shard: i16,
    account: Uuid,
    search: &Search,
    (end, before): (i64, i64),
    limit: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT position FROM activity
         WHERE shard = $1 AND account = $2 AND position >= $3 AND position < $4
           AND ($5::text IS NULL OR kind = $5)
           AND abs(amount) >= coalesce($6::bigint, 0) AND abs(amount) <= coalesce($7::bigint, 9223372036854775807)
           AND effective_at >= coalesce($8, '-infinity'::timestamptz) AND effective_at <= coalesce($9, 'infinity'::timestamptz)
         ORDER BY position DESC LIMIT $10",
        shard,
        account,
        end,
        before,
        search.kind.as_deref(),
        search.least.map(Minor::to_bigint),
        search.most.map(Minor::to_bigint),
        search.from,
        search.to,
        limit
    )
    .fetch_all(tx)
    .await
}

/// The first term drives the index; the others are looked up per row.
async fn by_terms(
    tx: &mut PgConnection,
    shard: i16,
    account: Uuid,
    search: &Search,
    (end, before): (i64, i64),
    limit: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT t.position FROM activity_term t
         JOIN activity a ON a.shard = $1 AND a.account = $2 AND a.position = t.position
         WHERE t.shard = $1 AND t.account = $2 AND t.term = ($11::uuid[])[1] AND t.position >= $3 AND t.position < $4
           AND ($5::text IS NULL OR a.kind = $5)
           AND abs(a.amount) >= coalesce($6::bigint, 0) AND abs(a.amount) <= coalesce($7::bigint, 9223372036854775807)
           AND a.effective_at >= coalesce($8, '-infinity'::timestamptz) AND a.effective_at <= coalesce($9, 'infinity'::timestamptz)
           AND NOT EXISTS (
               SELECT FROM unnest($11) AS other (term)
               WHERE NOT EXISTS (
                   SELECT FROM activity_term o WHERE o.shard = $1 AND o.account = $2 AND o.term = other.term AND o.position = t.position))
         ORDER BY t.position DESC LIMIT $10",
        shard,
        account,
        end,
        before,
        search.kind.as_deref(),
        search.least.map(Minor::to_bigint),
        search.most.map(Minor::to_bigint),
        search.from,
        search.to,
        limit,
        &search.terms
    )
    .fetch_all(tx)
    .await
}

/// Rows of an account with their events, the newest first.
async fn show(tx: &mut PgConnection, shard: i16, account: Uuid, positions: &[i64]) -> Result<Vec<Found>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT a.position, a.kind, a.amount, a.counterparty, a.effective_at, e.stream, e.kind AS event_kind, e.payload::text AS "payload!"
           FROM activity a JOIN event e ON e.shard = $1 AND e.position = a.position
           WHERE a.shard = $1 AND a.account = $2 AND a.position = ANY ($3) ORDER BY a.position DESC"#,
        shard,
        account,
        positions
    )
    .fetch_all(tx)
    .await?;
    let found = rows.into_iter().map(|row| Found {
        position: row.position,
        kind: row.kind,
        amount: Minor::from_bigint(row.amount),
        counterparty: row.counterparty,
        effective_at: row.effective_at,
        stream: row.stream,
        event_kind: row.event_kind,
        payload: row.payload,
    });
    Ok(found.collect())
}

//! The search itself.

use super::super::views::{Scope, Seen, ViewError, Views};
use super::super::{Projection, checkpoint};
use super::{Activity, digest, words};
use crate::kernel::{Instant, Minor};
use sqlx::PgConnection;
use uuid::Uuid;

/// What to find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Words that must all be there.
    pub words: Vec<String>,
    /// Only with this account alone on the other side.
    pub counterparty: Option<Uuid>,
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
        let before = self.words.len();
        self.words.extend(words(text));
        self.words.len() - before
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

/// How many rows of its list one page looks at.
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
        if !wanted.words.is_empty() {
            // Before `vintem rebuild` the words of a former release's rows are not there to be found.
            let row = checkpoint::in_use(&mut tx, Activity.name(), scope.shard).await?;
            if row.is_some_and(|row| row.version != Activity.version()) {
                return Err(ViewError::Rebuilding);
            }
        }
        let keys = wanted.words.iter().map(|word| digest(scope.tenant, word)).collect();
        let page = Page { shard: scope.shard, account, wanted, keys, before, limit };
        let rows = page.find(&mut tx).await?;
        tx.commit().await?;
        Ok(Seen { rows, as_of })
    }
}

/// Positions, the newest first, among which everything that is wanted must be.
#[derive(Debug, Clone, Copy)]
enum List {
    /// Of everything on the account that is searched.
    Own,
    /// Of everything on another account.
    Other(Uuid),
    /// Of everything that holds a word.
    Word(i64),
}

struct Page<'a> {
    shard: i16,
    account: Uuid,
    wanted: &'a Search,
    keys: Vec<i64>,
    before: i64,
    limit: i64,
}

impl Page<'_> {
    async fn find(&self, tx: &mut PgConnection) -> Result<(Vec<Found>, Option<i64>), sqlx::Error> {
        let (list, end) = self.shortest(tx).await?;
        let from = end.unwrap_or(0);
        let positions = match list {
            List::Own => self.by_account(tx, from).await?,
            List::Other(other) => self.by_other(tx, other, from).await?,
            List::Word(word) => self.by_word(tx, word, from).await?,
        };
        let is_full = i64::try_from(positions.len()).is_ok_and(|count| count >= self.limit);
        let next = if is_full { positions.last().copied() } else { end };
        Ok((show(tx, self.shard, self.account, &positions).await?, next))
    }

    /// The list with the fewest rows, or the one whose window reaches back the farthest; and where that ends, `None` for
    /// the beginning of the log.
    async fn shortest(&self, tx: &mut PgConnection) -> Result<(List, Option<i64>), sqlx::Error> {
        let others = self.wanted.counterparty.map(List::Other);
        let lists = self.keys.iter().copied().map(List::Word).chain(others);
        let (mut shortest, mut least) = (List::Own, self.window(tx, List::Own).await?);
        for list in lists {
            let window = self.window(tx, list).await?;
            if window < least {
                (shortest, least) = (list, window);
            }
        }
        Ok((shortest, least.0.then_some(least.1)))
    }

    /// Whether a list fills a window; and if so, where that ends, else how many rows there are.
    async fn window(&self, tx: &mut PgConnection, list: List) -> Result<(bool, i64), sqlx::Error> {
        let (count, end) = match list {
            List::Own => account_window(tx, self.shard, self.account, self.before).await?,
            List::Other(other) => account_window(tx, self.shard, other, self.before).await?,
            List::Word(word) => word_window(tx, self.shard, word, self.before).await?,
        };
        Ok(if count < WINDOW { (false, count) } else { (true, end) })
    }

    async fn by_account(&self, tx: &mut PgConnection, from: i64) -> Result<Vec<i64>, sqlx::Error> {
        sqlx::query_scalar!(
            "SELECT a.position FROM activity a
             WHERE a.shard = $1 AND a.account = $2 AND a.position >= $3 AND a.position < $4
               AND ($5::text IS NULL OR a.kind = $5) AND ($6::uuid IS NULL OR a.counterparty = $6)
               AND abs(a.amount) >= coalesce($7::bigint, 0) AND abs(a.amount) <= coalesce($8::bigint, 9223372036854775807)
               AND a.effective_at >= coalesce($9, '-infinity'::timestamptz) AND a.effective_at <= coalesce($10, 'infinity'::timestamptz)
               AND NOT EXISTS (
                   SELECT FROM unnest($11::bigint[]) AS wanted (word) WHERE NOT EXISTS (
                       SELECT FROM activity_word w WHERE w.shard = $1 AND w.word = wanted.word AND w.position = a.position))
             ORDER BY a.position DESC LIMIT $12",
            self.shard,
            self.account,
            from,
            self.before,
            self.wanted.kind.as_deref(),
            self.wanted.counterparty,
            self.wanted.least.map(Minor::to_bigint),
            self.wanted.most.map(Minor::to_bigint),
            self.wanted.from,
            self.wanted.to,
            &self.keys,
            self.limit
        )
        .fetch_all(tx)
        .await
    }

    /// Who has had little to do with anybody is the shorter way to what two accounts had to do with each other.
    async fn by_other(&self, tx: &mut PgConnection, other: Uuid, from: i64) -> Result<Vec<i64>, sqlx::Error> {
        sqlx::query_scalar!(
            "SELECT o.position FROM activity o JOIN activity a ON a.shard = $1 AND a.account = $2 AND a.position = o.position
             WHERE o.shard = $1 AND o.account = $6 AND o.position >= $3 AND o.position < $4
               AND ($5::text IS NULL OR a.kind = $5) AND a.counterparty = $6
               AND abs(a.amount) >= coalesce($7::bigint, 0) AND abs(a.amount) <= coalesce($8::bigint, 9223372036854775807)
               AND a.effective_at >= coalesce($9, '-infinity'::timestamptz) AND a.effective_at <= coalesce($10, 'infinity'::timestamptz)
               AND NOT EXISTS (
                   SELECT FROM unnest($11::bigint[]) AS wanted (word) WHERE NOT EXISTS (
                       SELECT FROM activity_word w WHERE w.shard = $1 AND w.word = wanted.word AND w.position = o.position))
             ORDER BY o.position DESC LIMIT $12",
            self.shard,
            self.account,
            from,
            self.before,
            self.wanted.kind.as_deref(),
            other,
            self.wanted.least.map(Minor::to_bigint),
            self.wanted.most.map(Minor::to_bigint),
            self.wanted.from,
            self.wanted.to,
            &self.keys,
            self.limit
        )
        .fetch_all(tx)
        .await
    }

    async fn by_word(&self, tx: &mut PgConnection, word: i64, from: i64) -> Result<Vec<i64>, sqlx::Error> {
        sqlx::query_scalar!(
            "SELECT l.position FROM activity_word l JOIN activity a ON a.shard = $1 AND a.account = $2 AND a.position = l.position
             WHERE l.shard = $1 AND l.word = $13 AND l.position >= $3 AND l.position < $4
               AND ($5::text IS NULL OR a.kind = $5) AND ($6::uuid IS NULL OR a.counterparty = $6)
               AND abs(a.amount) >= coalesce($7::bigint, 0) AND abs(a.amount) <= coalesce($8::bigint, 9223372036854775807)
               AND a.effective_at >= coalesce($9, '-infinity'::timestamptz) AND a.effective_at <= coalesce($10, 'infinity'::timestamptz)
               AND NOT EXISTS (
                   SELECT FROM unnest($11::bigint[]) AS wanted (word) WHERE NOT EXISTS (
                       SELECT FROM activity_word w WHERE w.shard = $1 AND w.word = wanted.word AND w.position = l.position))
             ORDER BY l.position DESC LIMIT $12",
            self.shard,
            self.account,
            from,
            self.before,
            self.wanted.kind.as_deref(),
            self.wanted.counterparty,
            self.wanted.least.map(Minor::to_bigint),
            self.wanted.most.map(Minor::to_bigint),
            self.wanted.from,
            self.wanted.to,
            &self.keys,
            self.limit,
            word
        )
        .fetch_all(tx)
        .await
    }
}

/// How many of a window's rows there are, and the last of them.
async fn account_window(
    tx: &mut PgConnection,
    shard: i16,
    account: Uuid,
    before: i64,
) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", coalesce(min(position), 0) AS "end!" FROM (
               SELECT position FROM activity WHERE shard = $1 AND account = $2 AND position < $3 ORDER BY position DESC LIMIT $4) list"#,
        shard,
        account,
        before,
        WINDOW
    )
    .fetch_one(tx)
    .await?;
    Ok((row.count, row.end))
}

async fn word_window(tx: &mut PgConnection, shard: i16, word: i64, before: i64) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", coalesce(min(position), 0) AS "end!" FROM (
               SELECT position FROM activity_word WHERE shard = $1 AND word = $2 AND position < $3 ORDER BY position DESC LIMIT $4) list"#,
        shard,
        word,
        before,
        WINDOW
    )
    .fetch_one(tx)
    .await?;
    Ok((row.count, row.end))
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

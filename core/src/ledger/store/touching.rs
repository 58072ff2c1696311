//! Events that touch one account: by its entries, and by streams that are about it.
//!
//! Two statements and not one with a direction: each is planned for its own, and stops after the rows of a page.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::event_store::{EntryAfter, Recorded};
use crate::kernel::{Instant, Minor};
use crate::ledger::touching::{Followed, Touch};

struct Columns {
    position: i64,
    tenant: Uuid,
    stream: Uuid,
    version: i32,
    kind: String,
    payload: String,
    effective_at: Option<Instant>,
    recorded_at: Instant,
    entry_version: Option<i64>,
    entry_kind: Option<i16>,
    amount: Option<i64>,
    posted: Option<i64>,
    held: Option<i64>,
    incoming: Option<i64>,
}

impl Columns {
    fn touch(self, followed: &Followed) -> Touch {
        let entry = self.entry_version.map(|version| EntryAfter {
            account: followed.id,
            number: followed.number,
            version,
            position: self.position,
            kind: self.entry_kind.unwrap_or_default(),
            amount: minor(self.amount),
            posted: minor(self.posted),
            held: minor(self.held),
            incoming: minor(self.incoming),
        });
        let event = Recorded {
            position: self.position,
            tenant: self.tenant,
            stream: self.stream,
            version: self.version,
            kind: self.kind.into(),
            payload: self.payload.into(),
            effective_at: self.effective_at,
            recorded_at: self.recorded_at,
        };
        Touch { event, entry }
    }
}

/// An entry has all of its amounts, and what is no entry has none.
fn minor(stored: Option<i64>) -> Minor {
    Minor::from_bigint(stored.unwrap_or_default())
}

/// Those after a position up to another, in order.
pub async fn after(
    tx: &mut PgConnection,
    shard: i16,
    followed: &Followed,
    (after, to): (i64, i64),
    limit: i64,
) -> Result<Vec<Touch>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT e.position, e.tenant, e.stream, e.version, e.kind, e.payload::text AS "payload!", e.effective_at, b.recorded_at,
                  f.version AS "entry_version?", f.kind AS "entry_kind?", f.amount AS "amount?", f.posted AS "posted?", f.held AS "held?", f.incoming AS "incoming?"
           FROM ((SELECT position, version, kind, amount, posted, held, incoming FROM entry
                  WHERE shard = $1 AND account = $2 AND version > version_at($1, $2, $4) ORDER BY version LIMIT $6)
                 UNION ALL
                 (SELECT position, NULL, NULL, NULL, NULL, NULL, NULL FROM event
                  WHERE shard = $1 AND stream = ANY ($3) AND position > $4 ORDER BY position LIMIT $6)) f
           JOIN event e ON e.shard = $1 AND e.position = f.position
           CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= f.position ORDER BY last_position, seq LIMIT 1) b
           WHERE f.position <= $5
           ORDER BY e.position LIMIT $6"#,
        shard,
        followed.number,
        &followed.streams,
        after,
        to,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.touch(followed)).collect())
}

/// Those before a position, the newest first.
pub async fn before(
    tx: &mut PgConnection,
    shard: i16,
    followed: &Followed,
    before: i64,
    limit: i64,
) -> Result<Vec<Touch>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Columns,
        r#"SELECT e.position, e.tenant, e.stream, e.version, e.kind, e.payload::text AS "payload!", e.effective_at, b.recorded_at,
                  f.version AS "entry_version?", f.kind AS "entry_kind?", f.amount AS "amount?", f.posted AS "posted?", f.held AS "held?", f.incoming AS "incoming?"
           FROM ((SELECT position, version, kind, amount, posted, held, incoming FROM entry
                  WHERE shard = $1 AND account = $2 AND version <= version_at($1, $2, $4::bigint - 1) ORDER BY version DESC LIMIT $5)
                 UNION ALL
                 (SELECT position, NULL, NULL, NULL, NULL, NULL, NULL FROM event
                  WHERE shard = $1 AND stream = ANY ($3) AND position < $4 ORDER BY position DESC LIMIT $5)) f
           JOIN event e ON e.shard = $1 AND e.position = f.position
           CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= f.position ORDER BY last_position, seq LIMIT 1) b
           ORDER BY e.position DESC LIMIT $5"#,
        shard,
        followed.number,
        &followed.streams,
        before,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.touch(followed)).collect())
}

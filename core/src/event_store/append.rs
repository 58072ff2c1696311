//! The appending statements: one per table and batch, whatever the batch's size.
//!
//! They are made with their arguments encoded, where the batch is decided: for a large request that is while another one
//! is being appended. What is left for the holder of the lock is to send them.

use super::chain::{BatchHeader, Tip};
use super::job::{Answer, RequestKey, StoredBody};
use super::overlay::{CounterRow, EntryRow, EventRow, Origin, SCHEMA};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{Error, Postgres};

/// A statement that answers nothing, with its arguments.
pub type Statement = Query<'static, Postgres, PgArguments>;

/// Executes statements one after the other.
pub async fn execute(tx: &mut PgConnection, statements: Vec<Statement>) -> Result<(), Error> {
    for statement in statements {
        statement.execute(&mut *tx).await?;
    }
    Ok(())
}

/// A request to record with the batch.
#[derive(Debug)]
pub struct RequestRow {
    /// Who asked.
    pub origin: Origin,
    /// Under which key.
    pub key: RequestKey,
    /// What was answered.
    pub answer: Answer,
    /// Position of its first event.
    pub position: Option<i64>,
}

/// Appends the batch row: the last link of the chain.
pub fn batch(header: &BatchHeader, tip: &Tip) -> Statement {
    sqlx::query!(
        "INSERT INTO batch (shard, seq, epoch, first_position, last_position, tip, recorded_at, flags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        header.shard,
        header.seq,
        header.epoch,
        header.first_position,
        header.last_position,
        &tip[..],
        header.recorded_at,
        header.flags
    )
}

/// Appends events. The payload travels as text: a JSON value would be rewritten on the way.
pub fn events(shard: i16, rows: &[EventRow]) -> Statement {
    let recorded = || rows.iter().map(|row| &row.recorded);
    sqlx::query!(
        "INSERT INTO event (shard, schema, position, tenant, stream, version, effective_at, kind, actor, correlation, payload)
         SELECT $1, $2, position, tenant, stream, version, effective_at, kind, actor, correlation, payload::json
         FROM unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::int[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[])
              AS row (position, tenant, stream, version, effective_at, kind, actor, correlation, payload)",
        shard,
        SCHEMA,
        &recorded().map(|r| r.position).collect::<Vec<_>>() as _,
        &recorded().map(|r| r.tenant).collect::<Vec<_>>() as _,
        &recorded().map(|r| r.stream).collect::<Vec<_>>() as _,
        &recorded().map(|r| r.version).collect::<Vec<_>>() as _,
        &recorded().map(|r| r.effective_at).collect::<Vec<_>>() as _,
        &recorded().map(|r| &*r.kind).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| &*r.origin.actor).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.origin.correlation.as_deref()).collect::<Vec<_>>() as _,
        &recorded().map(|r| &*r.payload).collect::<Vec<_>>() as _
    )
}

/// Appends entries, account by account: neighbours in the index, and later in a statement, lie together.
pub fn entries(shard: i16, rows: &[EntryRow]) -> Statement {
    let mut rows: Vec<&EntryRow> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| (row.after.number, row.after.version));
    let after = || rows.iter().map(|row| &row.after);
    sqlx::query!(
        "INSERT INTO entry (shard, kind, account, version, position, amount, posted, held, incoming, tenant, effective_at)
         SELECT $1, kind, account, version, position, amount, posted, held, incoming, tenant, effective_at
         FROM unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[], $11::timestamptz[])
              AS row (kind, account, version, position, amount, posted, held, incoming, tenant, effective_at)",
        shard,
        &after().map(|a| a.kind).collect::<Vec<_>>() as _,
        &after().map(|a| a.number).collect::<Vec<_>>() as _,
        &after().map(|a| a.version).collect::<Vec<_>>() as _,
        &after().map(|a| a.position).collect::<Vec<_>>() as _,
        &after().map(|a| a.amount.to_bigint()).collect::<Vec<_>>() as _,
        &after().map(|a| a.posted.to_bigint()).collect::<Vec<_>>() as _,
        &after().map(|a| a.held.to_bigint()).collect::<Vec<_>>() as _,
        &after().map(|a| a.incoming.to_bigint()).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.tenant).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.effective_at).collect::<Vec<_>>() as _
    )
}

/// Appends counter rows.
pub fn counters(shard: i16, rows: &[CounterRow]) -> Statement {
    sqlx::query!(
        "INSERT INTO counter (shard, account, version, position, used, tenant, key)
         SELECT $1, account, version, position, used, tenant, key
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::text[]) AS row (account, version, position, used, tenant, key)",
        shard,
        &rows.iter().map(|r| r.account).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.version).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.position).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.used.to_bigint()).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.tenant).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| &*r.key).collect::<Vec<_>>() as _
    )
}

/// Appends requests, and apart from them the bodies that are kept.
pub fn requests(shard: i16, seq: i64, rows: &[RequestRow]) -> [Statement; 2] {
    let requests = sqlx::query!(
        "INSERT INTO request (shard, seq, status, position, tenant, principal, key, code, fingerprint)
         SELECT $1, $2, status, position, tenant, principal, key, code, fingerprint
         FROM unnest($3::smallint[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::bytea[])
              AS row (status, position, tenant, principal, key, code, fingerprint)",
        shard,
        seq,
        &rows.iter().map(|r| status(&r.answer)).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.position).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.origin.tenant).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.key.principal).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| &*r.key.key).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.answer.code.map(super::RefusalCode::as_str)).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| &r.key.fingerprint[..]).collect::<Vec<_>>() as _
    );
    let kept: Vec<(&RequestRow, bool, &[u8])> =
        rows.iter().filter_map(|row| kept_body(&row.answer).map(|(outline, body)| (row, outline, body))).collect();
    let bodies = sqlx::query!(
        "INSERT INTO request_body (shard, seq, tenant, principal, key, outline, body)
         SELECT $1, $2, tenant, principal, key, outline, body
         FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::boolean[], $7::bytea[]) AS row (tenant, principal, key, outline, body)",
        shard,
        seq,
        &kept.iter().map(|(r, ..)| r.origin.tenant).collect::<Vec<_>>() as _,
        &kept.iter().map(|(r, ..)| r.key.principal).collect::<Vec<_>>() as _,
        &kept.iter().map(|(r, ..)| &*r.key.key).collect::<Vec<_>>() as _,
        &kept.iter().map(|(_, outline, _)| *outline).collect::<Vec<_>>() as _,
        &kept.iter().map(|(_, _, body)| *body).collect::<Vec<_>>() as _
    );
    [requests, bodies]
}

/// An HTTP status as stored.
pub fn status(answer: &Answer) -> i16 {
    i16::try_from(answer.status).unwrap_or(500)
}

fn kept_body(answer: &Answer) -> Option<(bool, &[u8])> {
    match &answer.body {
        StoredBody::Whole(body) => Some((false, body)),
        StoredBody::Outline(body) => Some((true, body)),
        StoredBody::Rendered => None,
    }
}

//! The appending statements: few per batch, whatever the batch's size.
//!
//! They are made with their arguments encoded, where the batch is decided: for a large request that is while another one
//! is being appended. What is left for the holder of the lock is to send them.

use super::chain::{BatchHeader, Tip};
use super::job::{Answer, RequestKey, StoredBody};
use super::overlay::{CounterRow, EntryRow, EventRow, Origin, SCHEMA};
use super::personal::{Ask, KeyName, KeyRow, Personal};
use super::proposal::{EntryAfter, Recorded};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{Error, Postgres};
use uuid::Uuid;

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

/// Appends a batch with its events, entries, requests and the bodies that are kept: one statement, because each way to
/// Postgres and back costs a small batch more than its rows do.
///
/// Payloads travel as text: a JSON value would be rewritten on the way. Entries go account by account: neighbours in
/// the index, and later in a statement, lie together.
pub fn batch(
    header: &BatchHeader,
    tip: &Tip,
    events: &[EventRow],
    entries: &[EntryRow],
    asked: &[RequestRow],
) -> Statement {
    let events: Vec<(&Recorded, &Origin)> = events.iter().map(|row| (&row.recorded, &row.origin)).collect();
    let mut entries: Vec<(&EntryAfter, &EntryRow)> = entries.iter().map(|row| (&row.after, row)).collect();
    entries.sort_unstable_by_key(|(after, _)| (after.number, after.version));
    let kept: Vec<Option<(bool, &[u8])>> = asked.iter().map(|row| kept_body(&row.answer)).collect();
    sqlx::query!(
        "WITH recorded AS (
             INSERT INTO event (shard, schema, position, tenant, stream, version, effective_at, kind, actor, correlation, payload)
             SELECT $1, $9, position, tenant, stream, version, effective_at, kind, actor, correlation, payload::json
             FROM unnest($10::bigint[], $11::uuid[], $12::uuid[], $13::int[], $14::timestamptz[], $15::text[], $16::text[], $17::text[], $18::text[])
                  AS row (position, tenant, stream, version, effective_at, kind, actor, correlation, payload)),
         moved AS (
             INSERT INTO entry (shard, kind, account, version, position, amount, posted, held, incoming, tenant, effective_at)
             SELECT $1, kind, account, version, position, amount, posted, held, incoming, tenant, effective_at
             FROM unnest($19::smallint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::uuid[], $28::timestamptz[])
                  AS row (kind, account, version, position, amount, posted, held, incoming, tenant, effective_at)),
         asked AS (
             SELECT * FROM unnest($29::smallint[], $30::bigint[], $31::uuid[], $32::uuid[], $33::text[], $34::text[], $35::bytea[], $36::boolean[], $37::bytea[])
                  AS row (status, position, tenant, principal, key, code, fingerprint, outline, body)),
         answered AS (
             INSERT INTO request (shard, seq, status, position, tenant, principal, key, code, fingerprint)
             SELECT $1, $2, status, position, tenant, principal, key, code, fingerprint FROM asked),
         kept AS (
             INSERT INTO request_body (shard, seq, tenant, principal, key, outline, body)
             SELECT $1, $2, tenant, principal, key, outline, body FROM asked WHERE body IS NOT NULL)
         INSERT INTO batch (shard, seq, epoch, first_position, last_position, tip, recorded_at, flags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        header.shard,
        header.seq,
        header.epoch,
        header.first_position,
        header.last_position,
        &tip[..],
        header.recorded_at,
        header.flags,
        SCHEMA,
        &column(&events, |(event, _)| event.position) as _,
        &column(&events, |(event, _)| event.tenant) as _,
        &column(&events, |(event, _)| event.stream) as _,
        &column(&events, |(event, _)| event.version) as _,
        &column(&events, |(event, _)| event.effective_at) as _,
        &column(&events, |(event, _)| &*event.kind) as _,
        &column(&events, |(_, origin)| &*origin.actor) as _,
        &column(&events, |(_, origin)| origin.correlation.as_deref()) as _,
        &column(&events, |(event, _)| &*event.payload) as _,
        &column(&entries, |(after, _)| after.kind) as _,
        &column(&entries, |(after, _)| after.number) as _,
        &column(&entries, |(after, _)| after.version) as _,
        &column(&entries, |(after, _)| after.position) as _,
        &column(&entries, |(after, _)| after.amount.to_bigint()) as _,
        &column(&entries, |(after, _)| after.posted.to_bigint()) as _,
        &column(&entries, |(after, _)| after.held.to_bigint()) as _,
        &column(&entries, |(after, _)| after.incoming.to_bigint()) as _,
        &column(&entries, |(_, row)| row.tenant) as _,
        &column(&entries, |(_, row)| row.effective_at) as _,
        &column(asked, |row| status(&row.answer)) as _,
        &column(asked, |row| row.position) as _,
        &column(asked, |row| row.origin.tenant) as _,
        &column(asked, |row| row.key.principal) as _,
        &column(asked, |row| &*row.key.key) as _,
        &column(asked, |row| row.answer.code.map(super::RefusalCode::as_str)) as _,
        &column(asked, |row| &row.key.fingerprint[..]) as _,
        &column(&kept, |kept| kept.map(|(outline, _)| outline)) as _,
        &column(&kept, |kept| kept.map(|(_, body)| body)) as _
    )
}

/// One column of rows.
fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
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

/// What a batch changes about personal keys: nearly always nothing.
pub fn personal(shard: i16, changes: &Personal) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !changes.freed.is_empty() {
        statements.push(sqlx::query!(
            "DELETE FROM personal_key WHERE shard = $1 AND owner = ANY ($2)",
            shard,
            &changes.freed
        ));
    }
    if !changes.released.is_empty() {
        statements.push(released(shard, &changes.released));
    }
    if !changes.rows.is_empty() {
        statements.push(claimed(shard, &changes.rows));
    }
    if !changes.asks.is_empty() {
        statements.push(asked(shard, &changes.asks));
    }
    statements
}

fn released(shard: i16, rows: &[(KeyName, Uuid)]) -> Statement {
    sqlx::query!(
        "DELETE FROM personal_key k
         USING unnest($2::uuid[], $3::text[], $4::smallint[], $5::bytea[], $6::uuid[]) AS row (tenant, kind, version, digest, owner)
         WHERE k.shard = $1 AND k.tenant = row.tenant AND k.kind = row.kind AND k.version = row.version
               AND k.digest = row.digest AND k.owner = row.owner",
        shard,
        &rows.iter().map(|(name, _)| name.0).collect::<Vec<_>>() as _,
        &rows.iter().map(|(name, _)| name.1).collect::<Vec<_>>() as _,
        &rows.iter().map(|(name, _)| name.2).collect::<Vec<_>>() as _,
        &rows.iter().map(|(name, _)| &name.3[..]).collect::<Vec<_>>() as _,
        &rows.iter().map(|(_, owner)| *owner).collect::<Vec<_>>() as _
    )
}

fn claimed(shard: i16, rows: &[KeyRow]) -> Statement {
    sqlx::query!(
        "INSERT INTO personal_key (shard, version, position, tenant, owner, kind, digest)
         SELECT $1, version, position, tenant, owner, kind, digest
         FROM unnest($2::smallint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[])
              AS row (version, position, tenant, owner, kind, digest)",
        shard,
        &rows.iter().map(|row| row.name.2).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.position).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.name.0).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.owner).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.name.1).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| &row.name.3[..]).collect::<Vec<_>>() as _
    )
}

/// Asking twice is asking once.
fn asked(shard: i16, asks: &[Ask]) -> Statement {
    sqlx::query!(
        "INSERT INTO job (shard, run_at, kind, key, payload)
         SELECT $1, clock_timestamp(), kind, key, payload::json
         FROM unnest($2::text[], $3::text[], $4::text[]) AS row (kind, key, payload)
         ON CONFLICT DO NOTHING",
        shard,
        &asks.iter().map(|ask| ask.kind).collect::<Vec<_>>() as _,
        &asks.iter().map(|ask| &*ask.key).collect::<Vec<_>>() as _,
        &asks.iter().map(|ask| &*ask.payload).collect::<Vec<_>>() as _
    )
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

//! What a batch must know before it decides: keys, streams, accounts, counters.
//!
//! Each is one statement for the whole batch, made before the lock is taken (a cold look-up of
//! thousands of accounts takes milliseconds) and again under it if another process wrote meanwhile.

use super::job::{StoredAnswer, StoredBody};
use super::overlay::{AccountState, CounterState, StreamState};
use super::personal::KeyName;
use super::proposal::{Settings, Status};
use crate::kernel::Minor;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// A key that was answered before.
#[derive(Debug, Clone)]
pub struct FoundRequest {
    /// What was asked then.
    pub fingerprint: Vec<u8>,
    /// What was answered.
    pub answer: StoredAnswer,
}

/// A key's scope: tenant, principal, key.
pub type RequestScope = (Uuid, Uuid, String);

/// Looks up idempotency keys.
pub async fn requests(
    connection: &mut PgConnection,
    shard: i16,
    keys: &[RequestScope],
) -> Result<HashMap<RequestScope, FoundRequest>, sqlx::Error> {
    let tenants: Vec<Uuid> = keys.iter().map(|k| k.0).collect();
    let principals: Vec<Uuid> = keys.iter().map(|k| k.1).collect();
    let texts: Vec<String> = keys.iter().map(|k| k.2.clone()).collect();
    let rows = sqlx::query!(
        r#"SELECT r.tenant, r.principal, r.key, r.fingerprint, r.status, r.code, r.seq, r.position,
                  b.body AS "body?", b.outline AS "outline?"
           FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS wanted (tenant, principal, key)
           JOIN request r ON r.shard = $1 AND r.tenant = wanted.tenant AND r.principal = wanted.principal AND r.key = wanted.key
           LEFT JOIN request_body b ON b.shard = $1 AND b.seq = r.seq AND b.tenant = r.tenant AND b.principal = r.principal AND b.key = r.key"#,
        shard,
        &tenants,
        &principals,
        &texts
    )
    .fetch_all(connection)
    .await?;
    let found = rows.into_iter().map(|row| {
        let body = row
            .body
            .zip(row.outline)
            .map(|(body, outline)| if outline { StoredBody::Outline(body) } else { StoredBody::Whole(body) });
        let status = u16::try_from(row.status).unwrap_or(500);
        let answer = StoredAnswer { status, code: row.code, seq: row.seq, position: row.position, body };
        ((row.tenant, row.principal, row.key), FoundRequest { fingerprint: row.fingerprint, answer })
    });
    Ok(found.collect())
}

/// Looks up the owner and the newest version of streams; a stream without events is absent.
pub async fn streams(
    connection: &mut PgConnection,
    shard: i16,
    streams: &[Uuid],
) -> Result<HashMap<Uuid, StreamState>, sqlx::Error> {
    // Most ids asked for are new. One scan for all of them finds that out five times as fast as a scan for each.
    let rows = sqlx::query!(
        "SELECT DISTINCT ON (stream) stream, tenant, version FROM event WHERE shard = $1 AND stream = ANY ($2) ORDER BY stream, version DESC",
        shard,
        streams
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.stream, (row.tenant, row.version))).collect())
}

/// Looks up accounts with their newest entry; one that does not exist is absent.
pub async fn accounts(
    connection: &mut PgConnection,
    shard: i16,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, AccountState>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT a.id, a.account, a.tenant, a.scale, a.settings_version, a.min_balance, a.max_balance, a.sends, a.receives, a.status,
                  coalesce(newest.version, 0) AS "version!", coalesce(newest.posted, 0) AS "posted!", coalesce(newest.held, 0) AS "held!",
                  coalesce(newest.incoming, 0) AS "incoming!", coalesce(newest.position, a.account) AS "position!"
           FROM unnest($2::uuid[]) AS wanted (id)
           JOIN account a ON a.shard = $1 AND a.id = wanted.id
           LEFT JOIN LATERAL (
               SELECT version, posted, held, incoming, position FROM entry
               WHERE entry.shard = $1 AND entry.account = a.account ORDER BY version DESC LIMIT 1
           ) newest ON true"#,
        shard,
        ids
    )
    .fetch_all(connection)
    .await?;
    let states = rows.into_iter().map(|row| {
        let settings = Settings {
            version: row.settings_version,
            min_balance: row.min_balance.map(Minor::from_bigint),
            max_balance: row.max_balance.map(Minor::from_bigint),
            sends: row.sends,
            receives: row.receives,
            status: status(&row.status),
        };
        let state = AccountState {
            number: row.account,
            tenant: row.tenant,
            scale: u8::try_from(row.scale).unwrap_or(0),
            settings,
            version: row.version,
            posted: Minor::from_bigint(row.posted),
            held: Minor::from_bigint(row.held),
            incoming: Minor::from_bigint(row.incoming),
            position: row.position,
        };
        (row.id, state)
    });
    Ok(states.collect())
}

/// Looks up the newest rows of counters.
pub async fn counters(
    connection: &mut PgConnection,
    shard: i16,
    keys: &[(i64, String)],
) -> Result<HashMap<(i64, String), CounterState>, sqlx::Error> {
    let accounts: Vec<i64> = keys.iter().map(|k| k.0).collect();
    let texts: Vec<String> = keys.iter().map(|k| k.1.clone()).collect();
    let rows = sqlx::query!(
        r#"SELECT wanted.account AS "account!", wanted.key AS "key!", newest.version, newest.used
           FROM unnest($2::bigint[], $3::text[]) AS wanted (account, key)
           CROSS JOIN LATERAL (
               SELECT version, used FROM counter
               WHERE counter.shard = $1 AND counter.account = wanted.account AND counter.key = wanted.key ORDER BY version DESC LIMIT 1
           ) newest"#,
        shard,
        &accounts,
        &texts
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.account, row.key), (row.version, Minor::from_bigint(row.used)))).collect())
}

/// Looks up whose these personal keys are; one that is free is absent.
pub async fn personal_keys(
    connection: &mut PgConnection,
    shard: i16,
    names: &[KeyName],
) -> Result<HashMap<KeyName, Uuid>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT wanted.number AS "number!", k.owner
           FROM unnest($2::uuid[], $3::text[], $4::smallint[], $5::bytea[]) WITH ORDINALITY AS wanted (tenant, kind, version, digest, number)
           JOIN personal_key k ON k.shard = $1 AND k.tenant = wanted.tenant AND k.kind = wanted.kind
                AND k.version = wanted.version AND k.digest = wanted.digest"#,
        shard,
        &names.iter().map(|name| name.0).collect::<Vec<_>>() as _,
        &names.iter().map(|name| name.1).collect::<Vec<_>>() as _,
        &names.iter().map(|name| name.2).collect::<Vec<_>>() as _,
        &names.iter().map(|name| &name.3[..]).collect::<Vec<_>>() as _
    )
    .fetch_all(connection)
    .await?;
    // Numbered from 1, in the order asked for.
    let name = |number: i64| usize::try_from(number - 1).ok().and_then(|index| names.get(index));
    Ok(rows.into_iter().filter_map(|row| Some((*name(row.number)?, row.owner))).collect())
}

/// The table's CHECK admits only these three.
fn status(text: &str) -> Status {
    match text {
        "open" => Status::Open,
        "frozen" => Status::Frozen,
        _ => Status::Closed,
    }
}

//! The ledger's look-up tables: folds of its events, written in the append transaction.

use super::super::event::{
    self, AccountChanged, AccountOpened, AssetRegistered, HoldCaptured, HoldExtended, HoldPlaced, Moves,
    TransactionPosted,
};
use super::super::{capture, hold::Hold};
use crate::event_store::append::Statement;
use crate::event_store::overlay::EventRow;
use crate::event_store::{Proposal, Recorded, read};
use crate::kernel::{Instant, Minor, metadata};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

/// Ends of holds whose time is over on an account.
pub async fn due_returns(
    tx: &mut PgConnection,
    shard: i16,
    account: Uuid,
    now: Instant,
) -> Result<Vec<Proposal>, sqlx::Error> {
    let due = sqlx::query_scalar!(
        "SELECT h.hold FROM open_hold h JOIN account a ON a.shard = h.shard AND a.account = h.account
         WHERE a.shard = $1 AND a.id = $2 AND h.expires_at <= $3 ORDER BY h.expires_at",
        shard,
        account,
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    expiries(tx, shard, &due).await
}

/// Holds of all tenants whose time is over, with their tenants, the longest overdue first.
pub async fn due_holds(session: &mut PgConnection, shard: i16, limit: i64) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT DISTINCT tenant, hold, expires_at FROM open_hold WHERE shard = $1 AND expires_at <= clock_timestamp() ORDER BY expires_at, hold LIMIT $2",
        shard,
        limit
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tenant, row.hold)).collect())
}

/// Proposals that end these holds, as they stand.
pub async fn expiries(tx: &mut PgConnection, shard: i16, holds: &[Uuid]) -> Result<Vec<Proposal>, sqlx::Error> {
    let events = read::streams(tx, shard, holds).await?;
    Ok(events
        .chunk_by(|a, b| a.stream == b.stream)
        .filter_map(Hold::fold)
        .filter_map(|hold| capture::expire(&hold))
        .collect())
}

/// Folds a batch kind by kind. Within a batch the order between kinds does not matter: an account's
/// opening precedes its changes, and a hold's placing precedes its end.
pub fn fold(shard: i16, rows: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error> {
    let mut statements = Vec::new();
    let of = |kind: &'static str| rows.iter().map(|row| &row.recorded).filter(move |r| r.kind == kind);
    let is_present = |kind: &'static str| of(kind).next().is_some();
    for registered in of(event::ASSET_REGISTERED) {
        statements.push(asset(shard, registered)?);
    }
    if is_present(event::ACCOUNT_OPENED) {
        statements.push(accounts(shard, of(event::ACCOUNT_OPENED))?);
    }
    for changed in of(event::ACCOUNT_CHANGED) {
        statements.push(change(shard, changed)?);
    }
    if is_present(event::HOLD_PLACED) {
        statements.push(holds(shard, of(event::HOLD_PLACED))?);
    }
    for extended in of(event::HOLD_EXTENDED) {
        let expires_at = facts::<HoldExtended>(extended)?.expires_at;
        statements.push(sqlx::query!(
            "UPDATE open_hold SET expires_at = $3 WHERE shard = $1 AND hold = $2",
            shard,
            extended.stream,
            expires_at
        ));
    }
    let mut ended: Vec<Uuid> = of(event::HOLD_RELEASED).chain(of(event::HOLD_EXPIRED)).map(|r| r.stream).collect();
    for captured in of(event::HOLD_CAPTURED) {
        if facts::<HoldCaptured>(captured)?.ends {
            ended.push(captured.stream);
        }
    }
    if !ended.is_empty() {
        statements.push(sqlx::query!("DELETE FROM open_hold WHERE shard = $1 AND hold = ANY ($2)", shard, &ended));
    }
    // Most postings have no metadata; reading only those that mention it keeps the fold cheap.
    let described = || of(event::TRANSACTION_POSTED).filter(|r| r.payload.contains("\"metadata\""));
    if described().next().is_some() {
        statements.push(transaction_metadata(shard, described())?);
    }
    Ok(statements)
}

fn asset(shard: i16, recorded: &Recorded) -> Result<Statement, sqlx::Error> {
    let asset: AssetRegistered = facts(recorded)?;
    Ok(sqlx::query!(
        "INSERT INTO asset (shard, tenant, code, scale, description, position) VALUES ($1, $2, $3, $4, $5, $6)",
        shard,
        recorded.tenant,
        asset.code,
        i16::from(asset.scale),
        asset.description,
        recorded.position
    ))
}

fn accounts<'a>(shard: i16, events: impl Iterator<Item = &'a Recorded>) -> Result<Statement, sqlx::Error> {
    let opened: Vec<(&Recorded, AccountOpened)> =
        events.map(|r| facts(r).map(|facts| (r, facts))).collect::<Result<_, _>>()?;
    let settings = || opened.iter().map(|(_, facts)| &facts.settings);
    let metadata = |facts: &AccountOpened| {
        if facts.metadata.is_empty() { None } else { serde_json::to_string(&facts.metadata).ok() }
    };
    Ok(sqlx::query!(
        "INSERT INTO account (shard, account, id, tenant, scale, settings_version, min_balance, max_balance, sends, receives, normal_side, status, asset, name, metadata)
         SELECT $1, account, id, tenant, scale, 1, min_balance, max_balance, sends, receives, normal_side, status, asset, name, metadata::json
         FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::smallint[], $6::bigint[], $7::bigint[], $8::boolean[], $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
              AS row (account, id, tenant, scale, min_balance, max_balance, sends, receives, normal_side, status, asset, name, metadata)",
        shard,
        &opened.iter().map(|(r, _)| r.position).collect::<Vec<_>>() as _,
        &opened.iter().map(|(r, _)| r.stream).collect::<Vec<_>>() as _,
        &opened.iter().map(|(r, _)| r.tenant).collect::<Vec<_>>() as _,
        &opened.iter().map(|(_, f)| i16::from(f.scale)).collect::<Vec<_>>() as _,
        &settings().map(|s| s.min_balance.map(Minor::to_bigint)).collect::<Vec<_>>() as _,
        &settings().map(|s| s.max_balance.map(Minor::to_bigint)).collect::<Vec<_>>() as _,
        &settings().map(|s| s.sends).collect::<Vec<_>>() as _,
        &settings().map(|s| s.receives).collect::<Vec<_>>() as _,
        &opened.iter().map(|(_, f)| f.normal_side.as_str()).collect::<Vec<_>>() as _,
        &settings().map(|s| s.status.as_str()).collect::<Vec<_>>() as _,
        &opened.iter().map(|(_, f)| f.asset.as_str()).collect::<Vec<_>>() as _,
        &opened.iter().map(|(_, f)| f.name.as_deref()).collect::<Vec<_>>() as _,
        &opened.iter().map(|(_, f)| metadata(f)).collect::<Vec<_>>() as _
    ))
}

fn change(shard: i16, recorded: &Recorded) -> Result<Statement, sqlx::Error> {
    let settings: AccountChanged = facts(recorded)?;
    Ok(sqlx::query!(
        "UPDATE account SET settings_version = $3, min_balance = $4, max_balance = $5, sends = $6, receives = $7, status = $8 WHERE shard = $1 AND id = $2",
        shard,
        recorded.stream,
        recorded.version,
        settings.min_balance.map(Minor::to_bigint),
        settings.max_balance.map(Minor::to_bigint),
        settings.sends,
        settings.receives,
        settings.status.as_str()
    ))
}

fn holds<'a>(shard: i16, events: impl Iterator<Item = &'a Recorded>) -> Result<Statement, sqlx::Error> {
    let mut rows: Vec<(&Recorded, Uuid, Instant)> = Vec::new();
    for recorded in events {
        let expires_at = facts::<HoldPlaced>(recorded)?.expires_at;
        let held = facts::<Moves>(recorded)?.moves.into_iter().filter(|(_, _, held, _)| held.is_positive());
        rows.extend(held.map(|(account, ..)| (recorded, account, expires_at)));
    }
    Ok(sqlx::query!(
        "INSERT INTO open_hold (shard, hold, account, tenant, expires_at)
         SELECT $1, row.hold, a.account, row.tenant, row.expires_at
         FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[]) AS row (hold, account, tenant, expires_at)
         JOIN account a ON a.shard = $1 AND a.id = row.account",
        shard,
        &rows.iter().map(|(r, ..)| r.stream).collect::<Vec<_>>() as _,
        &rows.iter().map(|(_, account, _)| *account).collect::<Vec<_>>() as _,
        &rows.iter().map(|(r, ..)| r.tenant).collect::<Vec<_>>() as _,
        &rows.iter().map(|(.., expires_at)| *expires_at).collect::<Vec<_>>() as _
    ))
}

fn transaction_metadata<'a>(shard: i16, events: impl Iterator<Item = &'a Recorded>) -> Result<Statement, sqlx::Error> {
    let mut rows: Vec<(Uuid, Uuid, i64)> = Vec::new();
    for recorded in events {
        let members = facts::<TransactionPosted>(recorded)?.metadata;
        rows.extend(
            members.iter().map(|(key, value)| (recorded.tenant, metadata::digest(key, value), recorded.position)),
        );
    }
    // Digests are random: in the index's order, rows of one value share a page.
    rows.sort_unstable();
    Ok(sqlx::query!(
        "INSERT INTO transaction_metadata (shard, tenant, digest, position)
         SELECT $1, tenant, digest, position FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS row (tenant, digest, position)",
        shard,
        &rows.iter().map(|r| r.0).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.1).collect::<Vec<_>>() as _,
        &rows.iter().map(|r| r.2).collect::<Vec<_>>() as _
    ))
}

/// Reads facts that this process or an earlier one wrote; they always have their form.
fn facts<T: DeserializeOwned>(recorded: &Recorded) -> Result<T, sqlx::Error> {
    serde_json::from_str(&recorded.payload).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

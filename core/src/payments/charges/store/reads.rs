//! Charges as their rows find them. Statuses that time decides are told by the streams.

use super::super::event::{Sum, Tally};
use crate::kernel::Minor;
use sqlx::PgConnection;
use uuid::Uuid;

/// The newest charge of a terminal.
pub async fn last(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    terminal: Uuid,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM charge WHERE shard = $1 AND tenant = $2 AND terminal = $3 ORDER BY position DESC LIMIT 1",
        shard,
        tenant,
        terminal
    )
    .fetch_optional(tx)
    .await
}

/// Charges of a terminal that may still be open: begun after one position, or confirmed and begun after an earlier one.
pub async fn open(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    terminal: Uuid,
    (created, authorised): (i64, i64),
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM charge
         WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND status IN ('created', 'authorised')
               AND position > $5 AND (status = 'authorised' OR position > $4)
         ORDER BY position",
        shard,
        tenant,
        terminal,
        created,
        authorised
    )
    .fetch_all(tx)
    .await
}

/// The charges of a short code that began after a position; two are enough to know that it is no one's.
pub async fn of_code(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    code: &str,
    after: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM charge WHERE shard = $1 AND tenant = $2 AND short_code = $3 AND position > $4 AND status = 'created'
         ORDER BY position DESC LIMIT 2",
        shard,
        tenant,
        code,
        after
    )
    .fetch_all(tx)
    .await
}

/// Whether a payer has confirmed another charge of the same amount at a terminal after a position, that still stands.
pub async fn is_repeated(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    (terminal, payer, asset, amount): (Uuid, Uuid, &str, Minor),
    (charge, after): (Uuid, i64),
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM charge
         WHERE shard = $1 AND tenant = $2 AND payer = $3 AND authorised > $4 AND terminal = $5 AND amount = $6 AND asset = $7
               AND status IN ('authorised', 'captured') AND id <> $8
         LIMIT 1",
        shard,
        tenant,
        payer,
        after,
        terminal,
        amount.to_bigint(),
        asset,
        charge
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}

/// What counts in a batch of a terminal, by asset. A refund that failed did not take place.
pub async fn tallies(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    terminal: Uuid,
    batch: i32,
) -> Result<Vec<Tally>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT asset, scale,
                  count(*) FILTER (WHERE kind = 'capture') AS "captures!", coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0)::text AS "captured!",
                  count(*) FILTER (WHERE kind = 'refund') - count(*) FILTER (WHERE kind = 'refund-failed') AS "refunds!",
                  (coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) - coalesce(sum(amount) FILTER (WHERE kind = 'refund-failed'), 0))::text AS "refunded!",
                  count(*) FILTER (WHERE kind = 'reversal') AS "reversals!", coalesce(sum(amount) FILTER (WHERE kind = 'reversal'), 0)::text AS "reversed!"
           FROM charge_move WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND batch = $4
           GROUP BY asset, scale ORDER BY asset"#,
        shard,
        tenant,
        terminal,
        batch
    )
    .fetch_all(tx)
    .await?;
    let sum = |count: i64, amount: &str| Sum { count, amount: Minor::new(amount.parse().unwrap_or(0)) };
    let tallies = rows.into_iter().map(|row| Tally {
        asset: row.asset,
        scale: u8::try_from(row.scale).unwrap_or(0),
        captures: sum(row.captures, &row.captured),
        refunds: sum(row.refunds, &row.refunded),
        reversals: sum(row.reversals, &row.reversed),
    });
    Ok(tallies.collect())
}

/// A terminal's own numbers after one that came before a position, with what they were about.
pub async fn seen(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    terminal: Uuid,
    (after, before): (i64, i64),
) -> Result<Vec<(i64, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT seq AS "seq!", txid AS "txid!" FROM (
               SELECT seq, txid FROM charge WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND seq > $4 AND position < $5
               UNION ALL
               SELECT reversed_seq, txid FROM charge WHERE shard = $1 AND tenant = $2 AND terminal = $3 AND reversed_seq > $4 AND reversed < $5) came
           ORDER BY seq LIMIT 100000"#,
        shard,
        tenant,
        terminal,
        after,
        before
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.seq, row.txid)).collect())
}

/// The last of a terminal's own numbers that came.
pub async fn last_seq(tx: &mut PgConnection, shard: i16, tenant: Uuid, terminal: Uuid) -> Result<i64, sqlx::Error> {
    let last = sqlx::query_scalar!(
        r#"SELECT greatest(
               (SELECT max(seq) FROM charge WHERE shard = $1 AND tenant = $2 AND terminal = $3),
               (SELECT max(reversed_seq) FROM charge WHERE shard = $1 AND tenant = $2 AND terminal = $3)) AS last"#,
        shard,
        tenant,
        terminal
    )
    .fetch_one(tx)
    .await?;
    Ok(last.unwrap_or(0))
}

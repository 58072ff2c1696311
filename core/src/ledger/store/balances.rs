//! Balances at instants.

use crate::kernel::{Instant, Minor};
use sqlx::PgConnection;

/// The balances that an entry left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balances {
    /// Version of the entry; 0 before the first.
    pub version: i64,
    /// Balance.
    pub posted: Minor,
    /// Held back.
    pub held: Minor,
    /// Announced.
    pub incoming: Minor,
}

/// The newest balances of an account.
pub async fn newest(tx: &mut PgConnection, shard: i16, account: i64) -> Result<Balances, sqlx::Error> {
    let row = sqlx::query!("SELECT version, posted, held, incoming FROM entry WHERE shard = $1 AND account = $2 ORDER BY version DESC LIMIT 1", shard, account)
        .fetch_optional(tx)
        .await?;
    Ok(row.map_or_else(Balances::default, |row| Balances {
        version: row.version,
        posted: Minor::from_bigint(row.posted),
        held: Minor::from_bigint(row.held),
        incoming: Minor::from_bigint(row.incoming),
    }))
}

/// The balances of an account at a position of the log.
pub async fn at(tx: &mut PgConnection, shard: i16, account: i64, position: i64) -> Result<Balances, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT version, posted, held, incoming FROM entry WHERE shard = $1 AND account = $2 AND version = version_at($1, $2, $3)",
        shard,
        account,
        position
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map_or_else(Balances::default, |row| Balances {
        version: row.version,
        posted: Minor::from_bigint(row.posted),
        held: Minor::from_bigint(row.held),
        incoming: Minor::from_bigint(row.incoming),
    }))
}

/// What to add to the balance recorded up to `both` to get the balance that is effective at
/// `instant`, as the log knew it at `known`: postings recorded by then but effective later do not
/// count yet, postings recorded later but effective by then count already.
pub async fn effective_correction(
    tx: &mut PgConnection,
    shard: i16,
    account: i64,
    instant: Instant,
    both: i64,
    known: i64,
) -> Result<Minor, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT
             (SELECT coalesce(sum(amount), 0)::bigint FROM entry
              WHERE shard = $1 AND account = $2 AND effective_at > $3 AND position <= $4) AS "not_yet!",
             (SELECT coalesce(sum(amount), 0)::bigint FROM entry
              WHERE shard = $1 AND account = $2 AND effective_at <= $3 AND position > $4 AND position <= $5) AS "already!""#,
        shard,
        account,
        instant,
        both,
        known
    )
    .fetch_one(tx)
    .await?;
    Ok(Minor::from_bigint(row.already).minus(Minor::from_bigint(row.not_yet)))
}

//! Accounts and assets as they stand, from the look-up tables.

use super::identities::{scale, side};
use crate::event_store::proposal::Status;
use crate::kernel::{Metadata, Minor};
use crate::ledger::known::{Identity, Side};
use sqlx::PgConnection;
use uuid::Uuid;

/// An account with its settings; its balances are read apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// What never changes.
    pub identity: Identity,
    /// Version of the settings.
    pub settings_version: i32,
    /// `None` is unlimited.
    pub min_balance: Option<Minor>,
    /// `None` is unlimited.
    pub max_balance: Option<Minor>,
    /// Money may leave.
    pub sends: bool,
    /// Money may arrive.
    pub receives: bool,
    /// Open, frozen or closed.
    pub status: Status,
    /// The integrator's own facts.
    pub metadata: Metadata,
}

/// Which accounts a list asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only of this name.
    pub name: Option<String>,
    /// Only of this asset.
    pub asset: Option<String>,
}

struct Columns {
    account: i64,
    id: Uuid,
    name: Option<String>,
    asset: String,
    scale: i16,
    normal_side: String,
    settings_version: i32,
    min_balance: Option<i64>,
    max_balance: Option<i64>,
    sends: bool,
    receives: bool,
    status: String,
    metadata: Option<String>,
}

impl From<Columns> for AccountRow {
    fn from(row: Columns) -> Self {
        let status = match row.status.as_str() {
            "open" => Status::Open,
            "frozen" => Status::Frozen,
            // The table's CHECK admits only these three.
            _ => Status::Closed,
        };
        Self {
            identity: Identity {
                id: row.id,
                number: row.account,
                name: row.name,
                asset: row.asset,
                scale: scale(row.scale),
                normal_side: side(&row.normal_side),
            },
            settings_version: row.settings_version,
            min_balance: row.min_balance.map(Minor::from_bigint),
            max_balance: row.max_balance.map(Minor::from_bigint),
            sends: row.sends,
            receives: row.receives,
            status,
            metadata: row.metadata.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        }
    }
}

/// An account of the tenant, by its id.
pub async fn one(tx: &mut PgConnection, shard: i16, id: Uuid) -> Result<Option<AccountRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Columns,
        r#"SELECT account, id, name, asset, scale, normal_side, settings_version, min_balance, max_balance, sends, receives, status, metadata::text AS metadata
           FROM account
           WHERE shard = $1 AND id = $2"#,
        shard,
        id
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(AccountRow::from))
}

/// Accounts in the order of their opening, after a number.
///
/// A statement of its own for each way to find them: one for all would be planned once, for the worst of them.
pub async fn list(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    AccountFilter { name, asset }: &AccountFilter,
    after: i64,
    limit: i64,
) -> Result<Vec<AccountRow>, sqlx::Error> {
    let asset = asset.as_deref();
    let rows = match name.as_deref() {
        None => {
            sqlx::query_as!(
                Columns,
                r#"SELECT account, id, name, asset, scale, normal_side, settings_version, min_balance, max_balance, sends, receives, status, metadata::text AS metadata
           FROM account
           WHERE shard = $1 AND tenant = $2 AND account > $3 AND ($4::text IS NULL OR asset = $4)
           ORDER BY account LIMIT $5"#,
                shard,
                tenant,
                after,
                asset,
                limit
            )
            .fetch_all(tx)
            .await?
        }
        Some(name) => {
            sqlx::query_as!(
                Columns,
                r#"SELECT account, id, name, asset, scale, normal_side, settings_version, min_balance, max_balance, sends, receives, status, metadata::text AS metadata
           FROM account
           WHERE shard = $1 AND tenant = $2 AND account > $3 AND ($4::text IS NULL OR asset = $4) AND name = $6
           ORDER BY account LIMIT $5"#,
                shard,
                tenant,
                after,
                asset,
                limit,
                name
            )
            .fetch_all(tx)
            .await?
        }
    };
    Ok(rows.into_iter().map(AccountRow::from).collect())
}

/// An asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRow {
    /// Its code.
    pub code: String,
    /// Decimals of its minor unit.
    pub scale: u8,
    /// For people.
    pub description: Option<String>,
}

/// Assets by code, after a code; or the one asked for.
pub async fn assets(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    code: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<AssetRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT code, scale, description FROM asset
         WHERE shard = $1 AND tenant = $2 AND code > $3 AND ($4::text IS NULL OR code = $4) ORDER BY code LIMIT $5",
        shard,
        tenant,
        after,
        code,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AssetRow { code: row.code, scale: scale(row.scale), description: row.description })
        .collect())
}

/// The balance of an account as a trial balance lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBalance {
    /// Public id.
    pub id: Uuid,
    /// Internal number, which orders the list.
    pub number: i64,
    /// Name.
    pub name: Option<String>,
    /// Asset.
    pub asset: String,
    /// Its scale.
    pub scale: u8,
    /// The side that raises it.
    pub normal_side: Side,
    /// Posted, in the direction of the normal side.
    pub posted: Minor,
}

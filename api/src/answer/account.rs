//! Assets and accounts.

use super::{Unreadable, facts, identity};
use crate::etag::etag;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::{Metadata, Minor};
use vintem_core::ledger::event::{AccountChanged, AccountOpened, AssetRegistered};
use vintem_core::ledger::known::Known;
use vintem_core::ledger::store::accounts::{AccountRow, AssetRow};

/// What amounts are amounts of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asset {
    /// Its code.
    #[schema(example = "BRL")]
    pub code: String,
    /// Decimals of its minor unit.
    #[schema(example = 2)]
    pub scale: u8,
    /// For people.
    #[schema(example = "Brazilian real")]
    pub description: Option<String>,
}

impl Asset {
    pub(super) fn registered(recorded: &Recorded) -> Result<Self, Unreadable> {
        let AssetRegistered { code, scale, description } = facts(recorded)?;
        Ok(Self { code, scale, description })
    }
}

impl From<AssetRow> for Asset {
    fn from(AssetRow { code, scale, description }: AssetRow) -> Self {
        Self { code, scale, description }
    }
}

/// An account: what was fixed at its opening, and its settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// Its id. A named account's is derived from its name and asset.
    pub id: Uuid,
    /// Unique per asset.
    #[schema(example = "citizen:0042")]
    pub name: Option<String>,
    /// The asset's code.
    #[schema(example = "BRL")]
    pub asset: String,
    /// The asset's scale.
    #[schema(example = 2)]
    pub scale: u8,
    /// The side that raises it: `debit` or `credit`.
    #[schema(example = "credit")]
    pub normal_side: &'static str,
    /// Movements may not take `available` below; null is unlimited.
    #[schema(example = "0.00")]
    pub min_balance: Option<String>,
    /// Movements may not take posted and incoming together above; null is unlimited.
    pub max_balance: Option<String>,
    /// Money may leave.
    pub sends: bool,
    /// Money may arrive.
    pub receives: bool,
    /// `open`, `frozen` or `closed`.
    #[schema(example = "open")]
    pub status: &'static str,
    /// One higher with every change; the `ETag`.
    #[schema(example = 1)]
    pub settings_version: i32,
    /// The integrator's own facts; absent in answers to changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Account {
    pub(super) fn opened(recorded: &Recorded) -> Result<Self, Unreadable> {
        let AccountOpened { name, asset, scale, normal_side, settings, metadata } = facts(recorded)?;
        let account = Self {
            id: recorded.stream,
            name,
            asset,
            scale,
            normal_side: normal_side.as_str(),
            min_balance: None,
            max_balance: None,
            sends: true,
            receives: true,
            status: "open",
            settings_version: recorded.version,
            metadata: Some(metadata),
        };
        Ok(account.with(&settings))
    }

    pub(super) fn changed(recorded: &Recorded, known: &Known) -> Result<Self, Unreadable> {
        let settings: AccountChanged = facts(recorded)?;
        let identity = identity(known, recorded.stream)?;
        let account = Self {
            id: identity.id,
            name: identity.name.clone(),
            asset: identity.asset.clone(),
            scale: identity.scale,
            normal_side: identity.normal_side.as_str(),
            min_balance: None,
            max_balance: None,
            sends: true,
            receives: true,
            status: "open",
            settings_version: recorded.version,
            metadata: None,
        };
        Ok(account.with(&settings))
    }

    fn with(mut self, settings: &AccountChanged) -> Self {
        self.min_balance = settings.min_balance.map(|bound| bound.to_text(self.scale));
        self.max_balance = settings.max_balance.map(|bound| bound.to_text(self.scale));
        self.sends = settings.sends;
        self.receives = settings.receives;
        self.status = settings.status.as_str();
        self
    }

    /// The `ETag` of its settings.
    pub fn etag(&self) -> String {
        etag(self.settings_version)
    }
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        let scale = row.identity.scale;
        let bound = |bound: Option<Minor>| bound.map(|bound| bound.to_text(scale));
        Self {
            id: row.identity.id,
            min_balance: bound(row.min_balance),
            max_balance: bound(row.max_balance),
            name: row.identity.name,
            asset: row.identity.asset,
            scale,
            normal_side: row.identity.normal_side.as_str(),
            sends: row.sends,
            receives: row.receives,
            status: row.status.as_str(),
            settings_version: row.settings_version,
            metadata: Some(row.metadata),
        }
    }
}

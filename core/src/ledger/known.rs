//! What a decision knows of accounts and assets: their immutable identities, never their balances.

use crate::kernel::{Minor, name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Debit or credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Left: raises accounts whose normal side it is, such as cash.
    Debit,
    /// Right: raises accounts whose normal side it is, such as a citizen's wallet.
    Credit,
}

impl Side {
    /// As stored and answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }

    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// How a caller names an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRef {
    /// By its id.
    Id(Uuid),
    /// By its name; the asset of the leg completes it.
    Name(String),
}

impl AccountRef {
    /// The account's id. A name's is computed, so resolving needs no look-up.
    pub fn id(&self, tenant: Uuid, asset: &str) -> Uuid {
        match self {
            Self::Id(id) => *id,
            Self::Name(text) => name::account_id(tenant, text, asset),
        }
    }
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(text) => f.write_str(text),
        }
    }
}

/// What never changes about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Public id.
    pub id: Uuid,
    /// Internal number: the position of its opening event.
    pub number: i64,
    /// Unique per tenant and asset.
    pub name: Option<String>,
    /// The asset's code.
    pub asset: String,
    /// The asset's scale.
    pub scale: u8,
    /// The side that raises it.
    pub normal_side: Side,
}

impl Identity {
    /// Whether it is nobody's but the institution's, by its name: what backs the money, what fees have earned.
    pub fn is_of_the_system(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name.starts_with("system:"))
    }

    /// The side that a change of its balance is on.
    pub fn side(&self, change: Minor) -> Side {
        if change.is_negative() { self.normal_side.opposite() } else { self.normal_side }
    }
}

/// Everything that was resolved for one request.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Accounts by id; one that does not exist is absent.
    pub accounts: HashMap<Uuid, Arc<Identity>>,
    /// Scales by asset code; an unregistered asset is absent.
    pub assets: HashMap<String, u8>,
}

//! The fact of this context as it stands in payloads.
//!
//! Members may be added, never renamed or removed: old history stays readable.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::which::Which;
use crate::event_store::fact::{self, Fact};
use crate::event_store::overlay::Origin;
use crate::event_store::{Shard, WriteError};
use crate::kernel::name::natural_key;

/// Another key became current; its stream is the key's name.
pub const KEY_ROTATED: &str = "key.rotated";
/// Keys are the installation's and not a tenant's.
const INSTALLATION: Uuid = Uuid::nil();

/// `key.rotated`: names only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyRotated {
    /// What the key is for, such as `token-signing`.
    pub key: String,
    /// The name of the key that becomes current.
    pub kid: String,
    /// The name of the one before it.
    pub replaced: String,
}

/// Appends `key.rotated`, unless an interrupted run has done so.
pub(super) async fn record(shard: &Shard, which: Which, kid: &str, replaced: &str) -> Result<(), WriteError> {
    let says = &KeyRotated { key: which.as_str().to_owned(), kid: kid.to_owned(), replaced: replaced.to_owned() };
    let stream = natural_key(INSTALLATION, "key", &[which.as_str(), kid]);
    let fact = Fact {
        // Who logged in as that process is in Vault's audit log.
        origin: Origin::command(INSTALLATION, which.keeper()),
        stream,
        expected: 0,
        fresh: false,
        kind: KEY_ROTATED,
        says,
    };
    fact::record(shard, fact).await.map(drop)
}

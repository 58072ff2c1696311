//! The facts of aliases as they stand in payloads: one stream per person, because how many somebody has is about the person.
//!
//! What is personal is sealed under the person's own key. No digest of it is here, for one that stays could be tried out for ever.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person can be paid by one more key.
pub const ALIAS_REGISTERED: &str = "alias.registered";
/// A key pays nobody any more.
pub const ALIAS_REMOVED: &str = "alias.removed";

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The person's number.
    Cpf,
    /// Their phone number.
    Phone,
    /// Their e-mail address.
    Email,
    /// A UUID that says nothing about them.
    Random,
}

/// `alias.registered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AliasRegistered {
    /// Its id.
    pub alias: Uuid,
    /// Who is paid by it.
    pub holder: Uuid,
    /// On which account.
    pub account: Uuid,
    /// What it is.
    pub kind: Kind,
    /// The number or address, sealed; absent of a random one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// The random one; absent of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<Uuid>,
}

/// `alias.removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AliasRemoved {
    /// Which.
    pub alias: Uuid,
}

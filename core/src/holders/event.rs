//! The facts of this context as they stand in payloads.
//!
//! What is personal is a ciphertext (`secrets::people::envelope`), and stays one for ever: nothing that may have to be
//! forgotten is written here in clear, digests of it included.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person is known; the stream is theirs.
pub const HOLDER_REGISTERED: &str = "holder.registered";
/// A person is forgotten: the key to what the log says of them is destroyed.
pub const HOLDER_ERASED: &str = "holder.erased";

/// `holder.registered`: every member is ciphertext under the person's own key, which is in no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderRegistered {
    /// The name, sealed.
    pub name: String,
    /// The e-mail address, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The phone number, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The CPF, sealed.
    pub cpf: String,
}

/// `holder.erased`: when is the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderErased {
    /// The caller that asked for it.
    pub requested_by: Uuid,
}

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

/// A person is reached elsewhere.
pub const HOLDER_CONTACT_CHANGED: &str = "holder.contact-changed";
/// Somebody was shown what is known of a person, as it is.
pub const HOLDER_UNMASKED: &str = "holder.unmasked";

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

/// `holder.contact-changed`: what is absent stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderContactChanged {
    /// The e-mail address, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The phone number, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// `holder.erased`: when is the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderErased {
    /// The caller that asked for it.
    pub requested_by: Uuid,
}

/// `holder.unmasked`: who it was is the event's actor. Nothing of it is personal, so that it outlives the person's erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderUnmasked {
    /// What for.
    pub reason: Reason,
    /// The case, ticket or order behind it, as its own system numbers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// What somebody needs to see a person's data for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The person asked for something.
    HolderRequest,
    /// A case of support.
    Support,
    /// A payment is disputed.
    Dispute,
    /// Fraud or money laundering is looked into.
    Investigation,
    /// A court or an authority asks.
    LegalOrder,
    /// A program of the tenant sends the person a message or a document.
    Service,
    /// The person themselves took along what is known of them. Nobody else gives this reason.
    Portability,
}

/// The number of a case: letters, digits and `._/-`, 64 at most, so that it is no place for names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, example = "CASE-2026/118", pattern = "^[A-Za-z0-9._/-]{1,64}$")]
pub struct Reference(String);

impl TryFrom<String> for Reference {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text))
        } else {
            Err("a reference has 1 to 64 letters, digits and ._/-")
        }
    }
}

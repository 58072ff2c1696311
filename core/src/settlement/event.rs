//! The facts of this context as they stand in payloads. Each states all that holds from then on.

use super::cnpj::Cnpj;
use crate::payments::terms::Terms;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A company may be paid at terminals.
pub const PROVIDER_REGISTERED: &str = "provider.registered";
/// What is known of it was changed.
pub const PROVIDER_CHANGED: &str = "provider.changed";
/// Terminals may charge for something. The account that the money comes to is opened in the same commit.
pub const SERVICE_OPENED: &str = "service.opened";
/// What payers see of it, or what its charges are subject to, was changed.
pub const SERVICE_CHANGED: &str = "service.changed";
/// It is not charged for until it is resumed.
pub const SERVICE_SUSPENDED: &str = "service.suspended";
/// It is charged for again.
pub const SERVICE_RESUMED: &str = "service.resumed";

/// `provider.registered` and `provider.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderDescribed {
    /// As the company is registered.
    pub name: String,
    /// Its number, without punctuation.
    #[schema(value_type = String)]
    pub cnpj: Cnpj,
    /// The unit of the tenant that looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
    /// Where it is to be paid out to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout_account: Option<PayoutAccount>,
}

/// A company's account at a bank, in digits: nothing of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayoutAccount {
    /// The bank's ISPB.
    pub bank: String,
    /// The branch.
    pub branch: String,
    /// The account, with its check digit.
    pub number: String,
}

/// `service.opened`, `service.changed`, `service.suspended` and `service.resumed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceDescribed {
    /// Whose it is.
    pub provider: Uuid,
    /// As payers see it.
    pub label: String,
    /// Where it is.
    pub city: String,
    /// The category of its trade (ISO 18245).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcc: Option<String>,
    /// The unit of the tenant that looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
    /// What it is paid in.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// The account that its money comes to.
    pub account: Uuid,
    /// What its charges are subject to.
    pub terms: Terms,
    /// Whether it is charged for.
    pub is_open: bool,
}
